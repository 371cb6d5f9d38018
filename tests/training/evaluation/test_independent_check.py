"""What a run says of itself, again in a few lines of numpy on the embeddings that it stored.

Nothing of ours takes part but the files: ``held-out.pt`` and ``result.json`` for the figures, the
same embeddings and the call ``loss(embeddings, labels)`` for the losses.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import TypeAdapter

from tests.training.engines.small_runs import CPU, made_data, made_recipe
from training.data.learning_parts import LearningParts
from training.engines.learned import learn_recipe
from training.losses.metric import make_loss
from training.recipes.metric_recipe import LossRecipe

Rows = npt.NDArray[np.float64]
MARGIN = 0.3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = LearningParts(made_data(), made_data(4, 5, 1), made_data(7, 14, 2), ())
    folder = tmp_path_factory.mktemp("run")
    learn_recipe(made_recipe(steps=3), parts, folder, CPU)
    return folder


@pytest.fixture(scope="module")
def stored(run: Path) -> tuple[Rows, npt.NDArray[np.int64]]:
    kept = torch.load(run / "held-out.pt", weights_only=True)
    rows = kept["embeddings"].double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), kept["labels"].numpy()


def test_the_measures_of_a_run_are_those_of_numpy(
    run: Path, stored: tuple[Rows, npt.NDArray[np.int64]]
) -> None:
    e, y = stored
    s = e @ e.T
    np.fill_diagonal(s, -np.inf)
    right = y[np.argsort(-s, axis=1)[:, :-1]] == y[:, None]  # (N, N - 1), nearest first
    there_are = right.sum(axis=1)
    ranks = np.arange(1, len(y))
    precision = right * right.cumsum(axis=1) / ranks
    expected = {f"R@{k}": right[:, :k].any(axis=1).mean() for k in (1, 5, 10)}
    at_10 = precision[:, :10].sum(axis=1) / np.minimum(there_are, 10)
    expected["mAP@10"] = at_10.mean()
    at_r = (precision * (ranks <= there_are[:, None])).sum(axis=1) / there_are
    expected["MAP@R"] = at_r.mean()

    i, j = np.triu_indices(len(y), 1)
    same, other = s[i, j][y[i] == y[j]], s[i, j][y[i] != y[j]]
    expected["AUC"] = np.mean([(g > other).mean() + (g == other).mean() / 2 for g in same])
    limits = np.sort(s[i, j])
    fnmr = np.array([(same < limit).mean() for limit in limits])
    fmr = np.array([(other >= limit).mean() for limit in limits])
    closest = np.abs(fnmr - fmr).argmin()
    expected["EER"] = (fnmr[closest] + fmr[closest]) / 2

    result = json.loads((run / "result.json").read_text())
    assert result["measures"] == pytest.approx(expected, abs=2e-3)  # ties of float32
    assert 0.2 < expected["R@1"] <= 1  # the run has learned something, and not everything
    assert expected["MAP@R"] < 0.999
    assert result["cosines"]["different"] == pytest.approx(other.mean(), abs=1e-5)


def losses_in_numpy(e: Rows, y: npt.NDArray[np.int64], own: Rows | None) -> dict[str, float]:
    """Every loss of the recipes, from the papers' formulas, of unit embeddings."""
    s = e @ e.T
    d = np.linalg.norm(e[:, None] - e[None], axis=2)
    same = (y[:, None] == y[None]) & ~np.eye(len(y), dtype=bool)
    other = y[:, None] != y[None]
    a, p, n = np.nonzero(same[:, :, None] & other[:, None, :])
    found = {
        "contrastive": (d[same] ** 2).mean() / 2
        + (np.maximum(MARGIN - d[other], 0) ** 2).mean() / 2,
        "cosine-contrastive": (1 - s[same]).mean() + np.maximum(s[other] - MARGIN, 0).mean(),
        "triplet": np.maximum(d[a, p] - d[a, n] + MARGIN, 0).mean(),
        "triplet squared-euclidean": np.maximum(d[a, p] ** 2 - d[a, n] ** 2 + MARGIN, 0).mean(),
        "triplet cosine": np.maximum(s[a, n] - s[a, p] + MARGIN, 0).mean(),
    }
    if own is not None:
        cosines = e @ own.T
        rows = np.arange(len(y))
        logits = -9.0 * (2 - 2 * cosines)
        log_all = np.log(np.exp(logits).sum(axis=1))
        found["proxy-nca"] = (log_all - logits[rows, y]).mean()
        angles = np.arccos(cosines[rows, y])
        margin = np.radians(28.6)
        logits = 8.0 * cosines
        beyond = angles > np.pi - margin
        logits[rows, y] = 8.0 * np.where(
            beyond, cosines[rows, y] - margin * np.sin(margin), np.cos(angles + margin)
        )
        found["arcface"] = (np.log(np.exp(logits).sum(axis=1)) - logits[rows, y]).mean()
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "contrastive", "margin": MARGIN},
        {"name": "cosine-contrastive", "margin": MARGIN},
        {"name": "triplet", "margin": MARGIN},
        {"name": "triplet", "margin": MARGIN, "distance": "squared-euclidean"},
        {"name": "triplet", "margin": MARGIN, "distance": "cosine"},
        {"name": "proxy-nca", "scale": 9.0},
        {"name": "arcface", "scale": 8.0, "margin_degrees": 28.6},
    ],
    ids=lambda settings: " ".join(str(settings[k]) for k in ("name", "distance") if k in settings),
)
def test_every_loss_on_stored_embeddings_is_that_of_numpy(
    settings: dict[str, object], stored: tuple[Rows, npt.NDArray[np.int64]]
) -> None:
    e, y = stored
    recipe: LossRecipe = TypeAdapter(LossRecipe).validate_python(settings)
    torch.manual_seed(1)
    loss = make_loss(recipe, e.shape[1], int(y.max()) + 1).double()
    own = None
    for weights in loss.parameters():
        rows = weights.detach().numpy()
        own = rows if rows.shape[1] == e.shape[1] else rows.T
        own = own / np.linalg.norm(own, axis=1, keepdims=True)
    name = " ".join(str(settings[key]) for key in ("name", "distance") if key in settings)
    expected = losses_in_numpy(e, y, own)[name]
    given = loss(torch.from_numpy(e), torch.from_numpy(y)).item()
    assert given == pytest.approx(expected, rel=1e-6)
    assert expected > 0.01
