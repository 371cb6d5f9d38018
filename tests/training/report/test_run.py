"""A learning run and its report, from recipe to HTML, on the bundled digits."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.report.pages import assert_asks_no_host
from training.data.blurring import watchful_detector
from training.data.learning_parts import LearningParts, load_parts
from training.engines.learned import HeldOut, learn_recipe
from training.evaluation.table_results import TableEvaluation
from training.metrics.estimates import estimate_text
from training.metrics.similarity import measure_similarity
from training.recipes.metric_recipe import MetricRecipe, load_metric_recipe
from training.report.curves import roc_title
from training.report.run import report_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def learned(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[MetricRecipe, LearningParts, HeldOut, Path]:
    recipe = load_metric_recipe("digits").model_copy(update={"steps": 12, "evaluate_every": 6})
    parts, folder = load_parts(recipe), tmp_path_factory.mktemp("run")
    return recipe, parts, learn_recipe(recipe, parts, folder, CPU), folder


@pytest.fixture(scope="module")
def report(learned: tuple[MetricRecipe, LearningParts, HeldOut, Path]) -> Path:
    recipe, parts, held_out, folder = learned
    return report_run(recipe, parts, held_out, folder, CPU)


def test_a_run_reports_what_it_judged(
    learned: tuple[MetricRecipe, LearningParts, HeldOut, Path], report: Path
) -> None:
    _, parts, held_out, folder = learned
    text = report.read_text()
    evaluation = json.loads((folder / "judgement.json").read_text())
    recall = evaluation["retrieval"]["recall_at"][0]["recall"]["value"]
    measured = measure_similarity(held_out.embeddings, held_out.labels)
    assert recall == pytest.approx(measured["R@1"])
    assert f"{recall:.4f}" in text
    assert_asks_no_host(text)
    assert evaluation["sha256"] == hashlib.sha256((folder / "best.pt").read_bytes()).hexdigest()
    assert evaluation["validation"]["images"] == len(parts.validation)


def test_title_curve_table_and_result_are_of_one_set_of_pairs(
    learned: tuple[MetricRecipe, LearningParts, HeldOut, Path], report: Path
) -> None:
    """The title of the ROC gave AUC and EER of other pairs than those of the curve."""
    _, parts, _, folder = learned
    text = report.read_text()
    evaluation = TableEvaluation.model_validate_json((folder / "judgement.json").read_text())
    result = json.loads((folder / "result.json").read_text())
    found = evaluation.all_pairs
    assert found.auc is not None
    assert found.eer is not None
    assert result["pairs"] == "all pairs of the test images"
    assert found.auc.value == pytest.approx(result["measures"]["AUC"], abs=1e-12)
    assert found.eer.value == pytest.approx(result["measures"]["EER"], abs=1e-12)
    count = len(parts.test) * (len(parts.test) - 1) // 2
    assert found.same_pairs + found.different_pairs == count
    assert roc_title(found) == (
        f"ROC of all {count:,} pairs: AUC {found.auc.value:.4f}, EER {found.eer.value:.4f}"
    )
    x, y = (np.array([0.0, *axis]) for axis in (evaluation.roc.x, evaluation.roc.y))
    under = float(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum())  # of the curve as drawn
    assert under == pytest.approx(found.auc.value, abs=0.02)
    assert f"<td>{estimate_text(found.eer)}</td>" in text
    assert f"<dt>EER, all pairs</dt><dd>{found.eer.value:.4f}</dd>" in text


def test_without_pictures_no_image_is_shown(
    learned: tuple[MetricRecipe, LearningParts, HeldOut, Path], tmp_path: Path
) -> None:
    recipe, parts, held_out, folder = learned
    (tmp_path / "log.jsonl").write_text((folder / "log.jsonl").read_text())
    report_run(recipe, parts, held_out, tmp_path, CPU, pictures=False)
    assert not list((tmp_path / "pictures").glob("queries-*.png"))


def test_a_blurred_report_numbers_the_images_and_keeps_the_figures(
    learned: tuple[MetricRecipe, LearningParts, HeldOut, Path], tmp_path: Path
) -> None:
    recipe, parts, held_out, folder = learned
    (tmp_path / "log.jsonl").write_text((folder / "log.jsonl").read_text())
    report_run(recipe, parts, held_out, tmp_path, CPU, blur_with=watchful_detector())
    evaluation = TableEvaluation.model_validate_json((tmp_path / "judgement.json").read_text())
    keys = {key for pair in evaluation.hardest.genuine for key in pair.keys}
    assert keys
    assert all(re.fullmatch(r"image \d{6}", key) for key in keys)
    plain = measure_similarity(held_out.embeddings, held_out.labels)
    assert evaluation.retrieval.recall_at[0].recall.value == pytest.approx(plain["R@1"])
    assert (tmp_path / "pictures" / "hardest.png").is_file()


def test_perfect_and_useless_embeddings_are_measured_as_such() -> None:
    labels = torch.arange(20) // 4
    perfect = measure_similarity(torch.eye(8)[labels], labels)
    ones = dict.fromkeys(["R@1", "R@5", "R@10", "mAP@10", "MAP@R", "AUC"], 1.0)
    assert perfect == ones | {"EER": 0.0}
    generator = torch.Generator().manual_seed(0)
    noise = torch.nn.functional.normalize(torch.randn(20, 8, generator=generator), dim=1)
    assert measure_similarity(noise, labels)["MAP@R"] < 0.5
