"""Recipes that differ in loss and miner alone: which of them learns the best embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from training.data.learning_parts import load_parts
from training.foundation.device import choose_device
from training.foundation.sheets import Sheet
from training.recipes.metric_recipe import load_metric_recipe
from training.studies.losses.compare import Comparison, compare_recipes
from training.studies.losses.table import comparison_sheet

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
) -> Comparison:
    """Compare recipes by name or path, from runs saved below ``runs`` or made now.

    This study asks recipes instead of a model. ``seeds`` is how many runs of each; those that
    differ in more than loss and miner are refused unless ``allow_different``.
    """
    return compare_recipes(
        [load_metric_recipe(name) for name in recipes],
        runs,
        choose_device(device),
        seeds=seeds,
        load=lambda recipe: load_parts(recipe, data),
        allow_different=allow_different,
        tell=tell,
    )


def tables(record: Comparison) -> list[Sheet]:
    """Return the table: mean ± sample deviation over the seeds, in percent."""
    return [comparison_sheet(record)]
