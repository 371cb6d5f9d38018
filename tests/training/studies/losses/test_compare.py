from __future__ import annotations

import json
import math
from io import StringIO
from pathlib import Path

import cv2
import pytest
import torch
from rich.console import Console

from tests.training.data.readers.test_stem_pairs import write_pairs
from tests.training.engines.small_runs import CPU, made_data, made_recipe
from training.cli.conclusion import conclude
from training.data.learning_parts import LearningParts, load_parts
from training.engines.learned import HeldOut
from training.foundation.errors import DataError
from training.foundation.sheets import Sheet, print_sheets
from training.recipes.metric_recipe import MetricRecipe, load_metric_recipe
from training.studies.losses.compare import (
    Comparison,
    compare_recipes,
    differing_settings,
    margin_text,
)
from training.studies.losses.pictures import draw_bars, draw_strips_beside
from training.studies.losses.table import best_contenders, comparison_sheets, measure_of

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


def test_the_tables_are_those_of_a_paper(tmp_path: Path) -> None:
    comparison = compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=2)
    who, *figures = comparison_sheets(comparison)
    assert who.rows[0] == ("1", "contrastive", "contrastive", "1", "all")
    assert who.rows[1] == ("2", "triplet", "triplet", "0.2", "all")
    assert "24 held-out images of 6 identities, learned from 30" in who.title
    names = [name for sheet in figures for name in sheet.head[1:]]
    assert names == ["R@1", "R@5", "R@10", "mAP@10", "MAP@R", "AUC", "EER"]
    for sheet in figures:
        assert sheet.best
        assert all(" ± " in cell and "[" in cell for row in sheet.rows[:2] for cell in row[1:])
    conclude(comparison, comparison_sheets(comparison), tmp_path / "comparison.md")
    kept = (tmp_path / "comparison.json").read_text()
    assert Comparison.model_validate_json(kept) == comparison
    written = (tmp_path / "comparison.md").read_text()
    assert "| contrastive |" in written
    assert "| **" in written
    single = comparison_sheets(compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=1))
    assert "±" not in single[1].rows[0][1]


def test_the_best_error_is_the_lowest_and_intervals_hold_the_mean(tmp_path: Path) -> None:
    comparison = compared(tmp_path, CONTRASTIVE, TRIPLET, seeds=2)
    for one in comparison.contenders:
        for measure in one.measures:
            assert measure.interval is not None
            assert measure.interval.low <= measure.mean <= measure.interval.high
            assert measure.interval.value == pytest.approx(measure.mean)
    means = [measure_of(one, "EER").mean for one in comparison.contenders]
    best = best_contenders(comparison, "EER")
    assert [means[place] for place in best] == [min(means)] * len(best)


def test_a_terminal_of_80_columns_shows_every_name_whole_and_no_asterisk(tmp_path: Path) -> None:
    """Names were cut to the same "faces-…", and the best stood between literal asterisks."""
    names = ("faces-contrastive-margin-03", "faces-triplet-margin-02-batch-hard")
    recipes = [
        one.model_copy(update={"name": name})
        for one, name in zip((CONTRASTIVE, TRIPLET), names, strict=True)
    ]
    comparison = compared(tmp_path, *recipes, seeds=2)
    shown = StringIO()
    print_sheets(comparison_sheets(comparison), Console(width=80, file=shown))
    text = shown.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert all(name in text for name in names)
    assert "*" not in text
    assert "…" not in text
    for sheet in comparison_sheets(comparison):
        for row in sheet.rows:
            assert all(part in text for cell in row for part in cell.split("\n"))


def test_a_cell_that_is_too_wide_is_folded_and_looks_like_no_markup() -> None:
    shown = StringIO()
    long = "x" * 50 + "[bold]y[/bold]" + "z" * 50
    print_sheets([Sheet("t", ("a", "b"), ((long, "1"),))], Console(width=40, file=shown))
    letters = "".join(c for c in shown.getvalue() if c in "xyz[]/bold")
    assert letters.count("x") == letters.count("z") == 50
    assert "[bold]y[/bold]" in letters


def test_bars_and_strips_are_drawn_of_what_was_compared(tmp_path: Path) -> None:
    seen: list[tuple[LearningParts, list[HeldOut]]] = []
    comparison = compare_recipes(
        [CONTRASTIVE, TRIPLET],
        tmp_path,
        CPU,
        seeds=2,
        load=load,
        tell=lambda _: None,
        show=lambda parts, answers: seen.append((parts, list(answers))),
    )
    ((parts, answers),) = seen
    assert [len(one.labels) for one in answers] == [24, 24]
    bars = draw_bars(comparison, tmp_path / "bars.png")
    names = ["contrastive", "triplet"]
    strips = draw_strips_beside(names, parts, answers, 3, tmp_path / "strips.png")
    for drawn in (bars, strips):
        pixels = cv2.imread(str(drawn.path))
        assert pixels is not None
        assert pixels.min() < 100 < pixels.max() == 255


def test_the_recipes_of_stem_pairs_differ_in_the_loss_alone(tmp_path: Path) -> None:
    recipes = [load_metric_recipe(f"stem-pairs-{loss}") for loss in ("contrastive", "triplet")]
    assert differing_settings(recipes) == ()
    assert {recipe.backbone.name for recipe in recipes} == {"resnet18"}
    assert [margin_text(recipe.loss) for recipe in recipes] == ["0.3 cosine", "0.2 cosine"]
    stems = [f"{n}.png" for n in range(20)]
    root = write_pairs(tmp_path / "pictures", stems, [*stems[:-1], "alone.png"])
    parts = load_parts(recipes[0], root)
    assert parts.test.classes == 5
    assert set(parts.test.images_per_identity().tolist()) == {2}


def test_recipes_that_differ_in_more_than_the_loss_are_refused(tmp_path: Path) -> None:
    faster = TRIPLET.model_copy(
        update={"optimiser": TRIPLET.optimiser.model_copy(update={"learning_rate": 0.1})}
    )
    assert differing_settings([CONTRASTIVE, TRIPLET]) == ()
    assert differing_settings([CONTRASTIVE, faster]) == ("optimiser.learning_rate",)
    with pytest.raises(DataError, match=r"more than loss and miner: optimiser\.learning_rate"):
        compared(tmp_path, CONTRASTIVE, faster, seeds=1)
    allowed = compared(tmp_path, CONTRASTIVE, faster, seeds=1, allow_different=True)
    assert "these differ: optimiser.learning_rate" in comparison_sheets(allowed)[0].title


def test_one_recipe_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two recipes of different names"):
        compared(tmp_path, TRIPLET, TRIPLET)
