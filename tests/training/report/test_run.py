"""A learning run and its report, from recipe to HTML, on the bundled digits."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch

from tests.training.report.pages import assert_asks_no_host
from training.data.blurring import watchful_detector
from training.data.learning_parts import LearningParts, load_parts
from training.engines.learned import HeldOut, learn_recipe
from training.evaluation.table_results import TableEvaluation
from training.metrics.similarity import measure_similarity
from training.recipes.metric_recipe import MetricRecipe, load_metric_recipe
from training.report.run import report_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def learned(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[MetricRecipe, LearningParts, HeldOut, Path]:
    recipe = load_metric_recipe("digits").model_copy(update={"steps": 12, "evaluate_every": 6})
    parts, folder = load_parts(recipe), tmp_path_factory.mktemp("run")
    return recipe, parts, learn_recipe(recipe, parts, folder, CPU), folder


def test_a_run_reports_what_it_judged(
    learned: tuple[MetricRecipe, LearningParts, HeldOut, Path],
) -> None:
    recipe, parts, held_out, folder = learned
    report = report_run(recipe, parts, held_out, folder, CPU)
    text = report.read_text()
    evaluation = json.loads((folder / "judgement.json").read_text())
    recall = evaluation["retrieval"]["recall_at"][0]["recall"]["value"]
    measured = measure_similarity(held_out.embeddings, held_out.labels)
    assert recall == pytest.approx(measured["R@1"])
    assert f"{recall:.4f}" in text
    assert_asks_no_host(text)
    assert evaluation["sha256"] == hashlib.sha256((folder / "best.pt").read_bytes()).hexdigest()
    assert evaluation["validation"]["images"] == len(parts.validation)


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
    assert perfect == {"R@1": 1.0, "R@5": 1.0, "R@10": 1.0, "MAP@R": 1.0, "AUC": 1.0}
    generator = torch.Generator().manual_seed(0)
    noise = torch.nn.functional.normalize(torch.randn(20, 8, generator=generator), dim=1)
    assert measure_similarity(noise, labels)["MAP@R"] < 0.5
