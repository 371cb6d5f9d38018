"""``python -m training cost``: what students and well-known networks cost, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.evaluation.embedders import read_exported
from training.networks.cost import make_students, measure_costs
from training.networks.reference import reference_networks
from training.recipes.recipe import load_recipe

TRIAL_RECIPES = ["width-24", "width-32-shallow", "width-32", "width-48", "tuned"]


def cost(
    recipes: Annotated[
        list[str], typer.Argument(help="Recipes whose students to measure.")
    ] = TRIAL_RECIPES,
    model: Annotated[
        list[Path] | None, typer.Option(help="Exported models' folders, to measure beside them.")
    ] = None,
) -> None:
    """Compare students by parameters, multiplications and milliseconds on one core."""
    students = make_students({name: load_recipe(name).student for name in recipes})
    exported = {folder.as_posix(): read_exported(folder) for folder in model or ()}
    costs = measure_costs(students | exported | reference_networks())
    first = costs[recipes[0]].milliseconds
    table = Table("network", "parameters", "GMAC", "ms", f"times {recipes[0]}", "OpenVINO", "bf16")
    for name, measured in costs.items():
        table.add_row(
            name,
            f"{measured.parameters / 1e6:.2f} M",
            "" if measured.multiplications is None else f"{measured.multiplications / 1e9:.3f}",
            f"{measured.milliseconds:.2f}",
            f"{measured.milliseconds / first:.2f}",
            f"{measured.openvino_milliseconds:.2f}",
            "" if (bf16 := measured.bfloat16_milliseconds) is None else f"{bf16:.2f}",
        )
    Console().print(table)
