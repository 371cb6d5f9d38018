"""Batches of drawn pairs and triplets, and runs that compare these and no others."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.engines.small_runs import made_data, made_recipe, made_run
from tests.training.losses import oracles
from training.data.batches import Batch, make_batches
from training.data.crops import NO_LABEL
from training.data.drawing import DrawnPairs, DrawnTriplets
from training.data.learning_data import LearningData
from training.data.pair_labels import PairLabels
from training.engines.metric_learning import MetricStep
from training.engines.run import Run
from training.foundation.errors import DataError
from training.recipes.metric_recipe import MetricRecipe

#: Nothing random between the pictures and the loss.
PLAIN: dict[str, object] = {
    "backbone": {"name": "small-cnn", "embedding_dim": 8},
    "augment": {"flip": 0.0, "crop": 0.0, "brightness": 0.0, "contrast": 0.0},
    "miner": {"name": "all"},
}


def paired(loss: str, pairs: int = 8) -> MetricRecipe:
    return made_recipe(**PLAIN, loss={"name": loss}, sampler={"name": "pairs", "pairs": pairs})


class OneBatch:
    """The same batch for ever."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def draw(self) -> Batch:
        return self.batch

    def state(self) -> Tensor:
        return torch.tensor(0)

    def restore(self, state: Tensor, /) -> None:
        assert int(state) == 0


def unit_embeddings(run: Run, rows: Tensor) -> oracles.Rows:
    """Return what the run's next step will see of these rows, and leave the run as it is."""
    assert isinstance(run.training_step, MetricStep)
    network = copy.deepcopy(run.network).train()
    with torch.no_grad():
        embedded = network(run.training_step.data.images[rows].float())
    return oracles.unit(embedded.double().numpy())


def test_a_batch_of_pairs_says_which_are_the_same() -> None:
    first, second = torch.tensor([5, 3, 9, 3, 0]), torch.tensor([4, 8, 1, 7, 2])
    labels = PairLabels(torch.tensor([True, False, False, True, False]))
    batch = Batch.of_pairs(DrawnPairs(first, second, labels))
    assert batch.drawn is not None
    a, p, b, n = (batch.rows[places].tolist() for places in batch.drawn)
    assert list(zip(a, p, strict=True)) == [(5, 4), (3, 7)]
    assert list(zip(b, n, strict=True)) == [(3, 8), (9, 1), (0, 2)]
    assert len(batch.rows) == 10


def test_a_batch_of_triplets_keeps_their_order() -> None:
    drawn = DrawnTriplets(torch.tensor([5, 3]), torch.tensor([4, 8]), torch.tensor([1, 5]))
    batch = Batch.of_triplets(drawn)
    assert batch.drawn is not None
    triplets = zip(*(batch.rows[places].tolist() for places in batch.drawn), strict=True)
    assert list(triplets) == [(5, 4, 1), (3, 8, 5)]


@pytest.mark.parametrize("pairs", [4, 7, 64])
def test_a_recipe_draws_as_many_true_pairs_as_it_says(pairs: int) -> None:
    data = made_data()
    source = make_batches(paired("contrastive", pairs), data)
    for _ in range(20):
        batch = source.draw()
        assert batch.drawn is not None
        assert len(batch.rows) == 2 * pairs
        identities = data.labels[batch.rows]
        a, p, b, n = batch.drawn
        assert (len(a), len(b)) == (pairs // 2, pairs - pairs // 2)
        assert torch.equal(identities[a], identities[p])
        assert not (batch.rows[a] == batch.rows[p]).any()
        assert not (identities[b] == identities[n]).any()
        assert sorted(torch.cat(batch.drawn).tolist()) == list(range(2 * pairs))


def test_a_recipe_draws_as_many_true_triplets_as_it_says() -> None:
    data = made_data()
    recipe = made_recipe(**PLAIN, sampler={"name": "triplets", "triplets": 5})
    source = make_batches(recipe, data)
    for _ in range(20):
        batch = source.draw()
        assert batch.drawn is not None
        a, p, n = (data.labels[batch.rows[places]] for places in batch.drawn)
        assert len(batch.rows) == 15
        assert torch.equal(a, p)
        assert not (a == n).any()
        assert sorted(torch.cat(batch.drawn).tolist()) == list(range(15))


def test_the_seed_of_a_recipe_decides_what_is_drawn() -> None:
    recipe, data = paired("contrastive"), made_data()
    one, same = make_batches(recipe, data), make_batches(recipe, data)
    other = make_batches(recipe.model_copy(update={"seed": 4}), data)
    assert torch.equal(one.draw().rows, same.draw().rows)
    second = one.draw().rows
    assert torch.equal(second, same.draw().rows)
    other.draw()
    assert not torch.equal(second, other.draw().rows)


def drawn_pairs(same: list[bool]) -> DrawnPairs:
    """Return pairs of rows of ``made_data``; no identity has a say in ``same``."""
    generator = torch.Generator().manual_seed(6)
    first, second = torch.randperm(30, generator=generator)[: 2 * len(same)].view(2, -1)
    return DrawnPairs(first, second, PairLabels(torch.tensor(same)))


@pytest.mark.parametrize("loss", ["contrastive", "cosine-contrastive"])
@pytest.mark.parametrize(
    "same", [[True, False, True, False, False], [False] * 4, [True] * 4, [True, True, False]]
)
def test_the_loss_of_a_step_is_of_the_drawn_pairs_and_their_labels(
    tmp_path: Path, loss: str, same: list[bool]
) -> None:
    """The labels are made up, so that a loss that looks at identities or other pairs is found."""
    pairs = drawn_pairs(same)
    run = made_run(tmp_path, paired(loss), batches=OneBatch(Batch.of_pairs(pairs)))
    rows = unit_embeddings(run, torch.cat([pairs.first, pairs.second]))
    one, two = rows[: len(same)], rows[len(same) :]
    near: list[float] = []
    far: list[float] = []
    for x, y, alike in zip(one, two, same, strict=True):
        apart, cosine = oracles.distance(x, y), float(x @ y)
        euclidean = 0.5 * apart**2 if alike else 0.5 * max(0.0, 1.0 - apart) ** 2
        angular = 1 - cosine if alike else max(0.0, cosine - 0.3)
        (near if alike else far).append(euclidean if loss == "contrastive" else angular)
    expected = oracles.mean(near) + oracles.mean(far)
    assert expected > 0
    assert run.step()["metric"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("average", ["all", "active"])
def test_the_loss_of_a_step_is_of_the_drawn_triplets(tmp_path: Path, average: str) -> None:
    generator = torch.Generator().manual_seed(7)
    parts = torch.randperm(30, generator=generator)[:18].view(3, -1)  # identities have no say
    recipe = made_recipe(
        **PLAIN,
        loss={"name": "triplet", "average": average},
        sampler={"name": "triplets", "triplets": 6},
    )
    batch = Batch.of_triplets(DrawnTriplets(*parts))
    run = made_run(tmp_path, recipe, batches=OneBatch(batch))
    rows = unit_embeddings(run, parts.flatten())
    chosen = ((place, 6 + place, 12 + place) for place in range(6))
    terms = oracles.triplet_terms(rows, chosen, 0.2)
    kept = [term for term in terms if term > 0 or average == "all"]
    assert 0 < len([term for term in terms if term > 0]) < 6
    assert run.step()["metric"] == pytest.approx(float(np.mean(kept)), rel=1e-4)


@pytest.mark.parametrize("name", ["pairs", "triplets"])
def test_images_of_the_unknown_are_never_drawn(name: str) -> None:
    whole = made_data()
    labels = torch.where(whole.labels == 2, NO_LABEL, whole.labels)
    labels = torch.where(labels > 2, labels - 1, labels)
    data = LearningData(whole.images, labels, whole.keys)
    loss = {"pairs": "contrastive", "triplets": "triplet"}[name]
    source = make_batches(made_recipe(**PLAIN, loss={"name": loss}, sampler={"name": name}), data)
    rows = torch.cat([source.draw().rows for _ in range(5)])
    assert not (data.labels[rows] == NO_LABEL).any()


def test_one_identity_is_refused_before_the_first_pair(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one identity"):
        made_run(tmp_path, paired("contrastive"), made_data(identities=1))
