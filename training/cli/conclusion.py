"""How a study ends on the command line: tables, files, and a failure where a bar is not kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from pydantic import BaseModel
from rich.console import Console

from training.foundation.files import write_text
from training.foundation.sheets import Sheet, print_sheets, sheets_markdown


def conclude(
    record: BaseModel, tables: Sequence[Sheet], out: Path | None, faults: Sequence[str] = ()
) -> None:
    """Print the tables and write them; exit with 1 where something was not kept."""
    print_sheets(list(tables), Console(width=None if Console().is_terminal else 200))
    if out is not None:
        write_text(out, sheets_markdown(tables))
        write_text(out.with_suffix(".json"), record.model_dump_json(indent=1) + "\n")
        typer.echo(f"written: {out}, {out.with_suffix('.json')}")
    if faults:
        typer.echo("\n".join(f"not kept: {fault}" for fault in faults), err=True)
        raise typer.Exit(1)
