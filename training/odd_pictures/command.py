"""``python -m training odd-pictures``: exits non-zero where odd pictures open doors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.domain.policy import RiskPolicy
from training.data.odd_pictures.kinds import chosen_kinds
from training.evaluation.command import DEFAULT_DATA, DataOption
from training.evaluation.served import DEFAULT_TARGETS, ServedModelOption, newest_model
from training.foundation.files import write_text
from training.foundation.sheets import print_sheets, sheets_markdown
from training.odd_pictures.people import cast_from_data, cast_of_invented
from training.odd_pictures.report import fault_lines, sheets_of
from training.odd_pictures.results import OddPictures
from training.odd_pictures.served import ServedPictures
from training.odd_pictures.trial import GALLERIES, try_kinds


def odd_pictures(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    people: Annotated[int, typer.Option(min=4, help="People of odd pictures, of each kind.")] = 60,
    kinds: Annotated[
        str | None, typer.Option(help="Parts of kinds' names, told apart by commas; all without.")
    ] = None,
    gallery: Annotated[
        list[int] | None,
        typer.Option(min=10, help="People enrolled at a door; may be repeated. 100 and 300."),
    ] = None,
    invented: Annotated[
        bool, typer.Option("--invented", help="A quick look at people who do not exist.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="Markdown to write, and the record as JSON beside it.")
    ] = Path("runs/prove/odd-pictures.md"),
) -> None:
    """Show odd pictures to the service: what is refused, and do strangers match by what is not.

    Fails (1) where the share of pairs of odd pictures that pass and match surely exceeds the stated
    FMR, in any kind, or the strangers found at a gallery with 1 % odd enrolments the stated FPIR;
    and where what is taken of tilted or turned pictures is not its own person.
    """
    chosen = chosen_kinds(kinds)
    served = ServedPictures(model or newest_model())
    policy = RiskPolicy(served.manifest, DEFAULT_TARGETS)
    worst = policy.verify(photos=1).threshold.population
    cast = (
        cast_of_invented(people, served.vision)
        if invented
        else cast_from_data(data, worst, people, max(gallery or GALLERIES), served.vision)
    )
    found = try_kinds(served, policy, cast, chosen, gallery or GALLERIES, typer.echo)
    sheets = sheets_of(found)
    print_sheets(sheets, Console(width=None if Console().is_terminal else 220))
    write_text(out, sheets_markdown(sheets))
    write_text(out.with_suffix(".json"), found.model_dump_json(indent=1) + "\n")
    typer.echo(f"written: {out}, {out.with_suffix('.json')}")
    require_kept(found)


def require_kept(found: OddPictures) -> None:
    """Name every bar that is broken, and exit (1) where one is."""
    if broken := fault_lines(found):
        typer.echo("\n".join(f"not kept: {line}" for line in broken), err=True)
        raise typer.Exit(1)
