"""``python -m training study losses``, apart from the others: learning takes long to import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.conclusion import conclude
from training.cli.options import DEFAULT_DATA, DataOption, DeviceOption, SetOption
from training.studies.losses import study as losses


def compare(
    recipes: Annotated[
        list[str] | None, typer.Argument(help="Recipes by name or path; those of digits.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    runs: Annotated[
        Path, typer.Option(help="Where runs are kept and looked for, and the table is written.")
    ] = losses.RUNS,
    seeds: Annotated[int, typer.Option(min=1, help="How many runs of each recipe.")] = 3,
    allow_different: Annotated[
        bool, typer.Option(help="Compare recipes that differ in more than loss and miner.")
    ] = False,
    pictures: Annotated[
        bool, typer.Option(help="Draw bars, and the same queries answered by each recipe.")
    ] = True,
    settings: SetOption = None,
    device: DeviceOption = None,
) -> None:
    """Compare recipes with everything else equal: mean ± deviation over the seeds, intervals.

    A table, its record and two pictures are written where the runs are. Two recipes for pairs of
    pictures by file name, left/NAME and right/NAME below --data: stem-pairs-contrastive and
    stem-pairs-triplet.
    """
    record = losses.run(
        data,
        recipes or losses.DIGITS,
        runs=runs,
        seeds=seeds,
        allow_different=allow_different,
        device=device,
        tell=typer.echo,
        pictures=runs if pictures else None,
        settings=settings or (),
    )
    if pictures:
        drawn = ("bars.png", "strips.png")
        there = [str(runs / name) for name in drawn if (runs / name).is_file()]
        typer.echo(f"pictures: {', '.join(there)}")
    conclude(record, losses.tables(record), runs / "comparison.md")
