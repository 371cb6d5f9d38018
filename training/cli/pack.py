"""``python -m training pack``: a recipe's data, small enough to travel to a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.cli.options import DEFAULT_DATA, DataOption
from training.data.packing import pack_data
from training.recipes.recipe import load_recipe


def pack(
    recipe: Annotated[str, typer.Option(help="Whose data to pack.")],
    out: Annotated[Path, typer.Option(help="Folder to write the pack in.")] = Path("runs/pack"),
    data: DataOption = DEFAULT_DATA,
    size: Annotated[int, typer.Option(help="Side of the crops in pixels.")] = 112,
    quality: Annotated[int, typer.Option(help="WebP quality, 1 to 100.")] = 70,
) -> None:
    """Pack a recipe's data small enough to travel to a GPU; train there with --data <out>."""
    table = Table("file", "MiB", "pictures", "KiB a picture")
    for file in pack_data(load_recipe(recipe), data, out, size=size, quality=quality):
        each = f"{file.size_bytes / 1024 / file.pictures:.2f}" if file.pictures else ""
        name = file.path.relative_to(out).as_posix()
        table.add_row(name, f"{file.size_bytes / 2**20:.1f}", str(file.pictures), each)
    Console().print(table)
