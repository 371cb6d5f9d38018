"""Recipes that differ in loss and miner alone: which of them learns the best embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from training.data.learning_parts import LearningParts, load_parts
from training.engines.learned import HeldOut
from training.foundation.device import choose_device
from training.foundation.sheets import Sheet
from training.recipes.metric_recipe import load_metric_recipe
from training.studies.losses.compare import Comparison, compare_recipes
from training.studies.losses.pictures import draw_bars, draw_strips_beside
from training.studies.losses.table import comparison_sheets

DIGITS = (
    "digits-contrastive",
    "digits-triplet",
    "digits-batch-hard",
    "digits-proxy-nca",
    "digits-arcface",
)
RUNS = Path("runs/compare")


def run(
    data: Path,
    recipes: Sequence[str] = DIGITS,
    *,
    runs: Path = RUNS,
    seeds: int = 3,
    allow_different: bool = False,
    device: str | None = None,
    tell: Callable[[str], None] = print,
    pictures: Path | None = None,
    settings: Sequence[str] = (),
) -> Comparison:
    """Compare recipes by name or path, from runs saved below ``runs`` or made now.

    This study asks recipes instead of a model. ``seeds`` is how many runs of each; those that
    differ in more than loss and miner are refused unless ``allow_different``. ``settings`` change
    keys of every recipe. With ``pictures`` the
    folder gets ``bars.png``, and ``strips.png`` where all recipes have the same data.
    """

    def show(parts: LearningParts, answers: Sequence[HeldOut]) -> None:
        if pictures is not None:
            names = [recipe.name for recipe in loaded]
            draw_strips_beside(names, parts, answers, loaded[0].seed, pictures / "strips.png")

    loaded = [load_metric_recipe(name, settings) for name in recipes]
    record = compare_recipes(
        loaded,
        runs,
        choose_device(device),
        seeds=seeds,
        load=lambda recipe: load_parts(recipe, data),
        allow_different=allow_different,
        tell=tell,
        show=show,
    )
    if pictures is not None:
        draw_bars(record, pictures / "bars.png")
    return record


def tables(record: Comparison) -> list[Sheet]:
    """Return the tables: the recipes, then mean ± deviation over the seeds, in percent."""
    return comparison_sheets(record)
