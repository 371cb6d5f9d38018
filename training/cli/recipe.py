"""``python -m training recipe``: which recipes there are, and what their keys may be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from training.cli.options import SetOption
from training.foundation.errors import DataError
from training.foundation.files import write_text
from training.recipes.build_recipe import load_build_recipe
from training.recipes.metric_recipe import load_metric_recipe
from training.recipes.recipe import load_recipe
from training.recipes.reference import KINDS, explain, listed, sections, written_reference


def recipe(
    name: Annotated[
        str | None, typer.Argument(help="A recipe's name, or a TOML file's path, to print whole.")
    ] = None,
    kind: Annotated[
        Literal["learn", "distill", "build"], typer.Option(help="Which command reads it.")
    ] = "learn",
    settings: SetOption = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the shipped recipes.")] = False,
    keys: Annotated[bool, typer.Option("--keys", help="List every key of --kind.")] = False,
    explained: Annotated[
        str | None, typer.Option("--explain", metavar="KEY", help="Say what a key may be.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="A document whose reference of keys to write anew.")
    ] = None,
) -> None:
    """Print a whole recipe, list the shipped ones, or say what a key may be."""
    if show_list:
        table = Table("command", "recipe", "what it is", box=None)
        for row in listed():
            table.add_row(*(text.replace("[", "\\[") for text in row))
        Console().print(table)
    elif explained is not None:
        typer.echo(explain(explained))
    elif keys:
        for section in sections(KINDS[kind][0]):
            for key in section.keys:
                choice = f"  ({section.choice})" if section.choice else ""
                typer.echo(f"{key.name}{choice}")
    elif write is not None:
        write_text(write, written_reference(write.read_text(encoding="utf-8")))
        typer.echo(f"written: {write}")
    elif name is not None:
        typer.echo(_whole(name, kind, settings or []))
    else:
        raise DataError("name a recipe, or ask with --list, --keys or --explain KEY")


def _whole(name: str, kind: Literal["learn", "distill", "build"], settings: list[str]) -> str:
    """Return the recipe as JSON, as a run's record holds it."""
    if kind == "learn":
        return load_metric_recipe(name, settings).model_dump_json(indent=2)
    if kind == "distill":
        return load_recipe(name, settings).model_dump_json(indent=2)
    return load_build_recipe(name, settings).model_dump_json(indent=2)
