from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from tests.training.engines.small_runs import CPU, made_data, made_recipe
from training.cli.conclusion import conclude
from training.data.learning_parts import LearningParts
from training.foundation.errors import DataError
from training.recipes.metric_recipe import MetricRecipe
from training.studies.losses.compare import Comparison, compare_recipes, differing_settings
from training.studies.losses.table import comparison_sheet

CONTRASTIVE = made_recipe(name="contrastive", loss={"name": "contrastive"}, miner={"name": "all"})
TRIPLET = made_recipe(name="triplet", miner={"name": "all"})


def load(recipe: MetricRecipe) -> LearningParts:
    seed = recipe.data.seed % 7
    return LearningParts(
        made_data(seed=seed), made_data(3, 4, seed + 1), made_data(6, 4, seed + 2), ()
    )


def compared(folder: Path, *recipes: MetricRecipe, **options: bool | int) -> Comparison:
    told: list[str] = []
    made = compare_recipes(
        recipes,
        folder,
        CPU,
        load=load,
        tell=told.append,
        **options,  # type: ignore[arg-type]
    )
    (folder / "told.json").write_text(json.dumps(told))
    return made


def test_every_recipe_is_learned_with_every_seed_and_saved_runs_are_not_made_again(
    tmp_path: Path,
) -> None:
    first = compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=2)
    assert [c.recipe for c in first.contenders] == ["contrastive", "triplet"]
    assert [c.loss for c in first.contenders] == ["contrastive", "triplet"]
    assert len(set(first.seeds)) == 2
    weights = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/best.pt")}
    assert len(weights) == 4
    assert compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=2) == first
    assert {path: path.stat().st_mtime_ns for path in weights} == weights
    assert all(": saved" in line for line in json.loads((tmp_path / "told.json").read_text()))

    barred = TRIPLET.model_copy(update={"bar": 0.5})
    assert compared(tmp_path, CONTRASTIVE, barred, seeds=2) == first
    assert all(": saved" in line for line in json.loads((tmp_path / "told.json").read_text()))

    longer = TRIPLET.model_copy(update={"steps": 13})
    other = CONTRASTIVE.model_copy(update={"steps": 13})
    compared(tmp_path, other, longer, seeds=1)
    assert all(": learning" in line for line in json.loads((tmp_path / "told.json").read_text()))


def test_a_judge_may_measure_anything_and_saved_runs_are_judged_again(tmp_path: Path) -> None:
    compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=2)

    def measured(embeddings: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
        assert embeddings.shape == (24, 8)
        return {"first": float(embeddings[0, 0]), "identities": float(labels.max()) + 1}

    again = compare_recipes(
        [CONTRASTIVE, TRIPLET],
        tmp_path,
        CPU,
        seeds=2,
        measure=measured,
        load=load,
        tell=lambda _: None,
    )
    first, identities = again.contenders[0].measures
    assert identities.values == (6.0, 6.0)
    assert identities.deviation == 0.0
    one, two = first.values
    assert first.mean == pytest.approx((one + two) / 2)
    assert first.deviation == pytest.approx(math.sqrt(2) * abs(one - two) / 2)


def test_the_table_is_that_of_a_paper(tmp_path: Path) -> None:
    comparison = compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=2)
    sheet = comparison_sheet(comparison)
    measures = ("R@1", "R@5", "R@10", "MAP@R", "AUC")
    assert sheet.head == ("recipe", "loss", "miner", *measures)
    assert sheet.rows[0][:3] == ("contrastive", "contrastive", "all")
    assert any(row[3].startswith("**") and " ± " in row[3] for row in sheet.rows)
    assert "24 held-out images of 6 identities, learned from 30" in sheet.title
    conclude(comparison, [sheet], tmp_path / "comparison.md")
    kept = (tmp_path / "comparison.json").read_text()
    assert Comparison.model_validate_json(kept) == comparison
    assert "| contrastive |" in (tmp_path / "comparison.md").read_text()
    single = compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=1)
    assert "±" not in comparison_sheet(single).rows[0][3]


def test_recipes_that_differ_in_more_than_the_loss_are_refused(tmp_path: Path) -> None:
    faster = TRIPLET.model_copy(
        update={"optimiser": TRIPLET.optimiser.model_copy(update={"learning_rate": 0.1})}
    )
    assert differing_settings([CONTRASTIVE, TRIPLET]) == ()
    assert differing_settings([CONTRASTIVE, faster]) == ("optimiser.learning_rate",)
    with pytest.raises(DataError, match=r"more than loss and miner: optimiser\.learning_rate"):
        compared(tmp_path, CONTRASTIVE, faster, seeds=1)
    allowed = compared(tmp_path, CONTRASTIVE, faster, seeds=1, allow_different=True)
    assert "these differ: optimiser.learning_rate" in comparison_sheet(allowed).title


def test_one_recipe_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two recipes of different names"):
        compared(tmp_path, TRIPLET, TRIPLET)
