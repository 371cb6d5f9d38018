"""``python -m training compare``: the table of several recipes, from saved runs or made now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.comparison.compare import compare_recipes
from training.comparison.table import comparison_sheet, write_comparison
from training.engine.learning_parts import load_parts
from training.evaluation.command import DEFAULT_DATA, DataOption
from training.foundation.device import choose_device
from training.foundation.sheets import print_sheets
from training.recipes.metric_recipe import load_metric_recipe

DIGITS = [
    "digits-contrastive",
    "digits-triplet",
    "digits-batch-hard",
    "digits-proxy-nca",
    "digits-arcface",
]


def compare(
    recipes: Annotated[list[str], typer.Argument(help="Recipes by name or path.")] = DIGITS,
    data: DataOption = DEFAULT_DATA,
    runs: Annotated[Path, typer.Option(help="Where runs are kept and looked for.")] = Path(
        "runs/compare"
    ),
    seeds: Annotated[int, typer.Option(min=1, help="How many runs of each recipe.")] = 3,
    allow_different: Annotated[
        bool, typer.Option(help="Compare recipes that differ in more than loss and miner.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Compare recipes with everything else equal: mean ± sample deviation over the seeds."""
    comparison = compare_recipes(
        [load_metric_recipe(name) for name in recipes],
        runs,
        choose_device(device),
        seeds=seeds,
        load=lambda recipe: load_parts(recipe, data),
        allow_different=allow_different,
        tell=typer.echo,
    )
    print_sheets([comparison_sheet(comparison)], Console())
    written = write_comparison(comparison, runs)
    typer.echo("written: " + ", ".join(map(str, written)))
