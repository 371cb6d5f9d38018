"""``python -m training synthesize``: photos of people who do not exist, and the proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.synthesis.make import DEFAULT_OUTPUT, SynthesisOptions, synthesize
from training.synthesis.parents import ParentOptions
from training.synthesis.people import PeopleOptions


def synthesize_command(
    data: Annotated[
        Path, typer.Option(envvar="FACEGATE_TRAINING_DATA", help="Folder with the data.")
    ] = Path("../shared/data"),
    output: Annotated[Path, typer.Option(help="Folder of the people.")] = DEFAULT_OUTPUT,
    people: Annotated[int, typer.Option(help="How many people to make.")] = 24,
    photos: Annotated[int, typer.Option(help="How many photos of each.")] = 4,
    parents: Annotated[int, typer.Option(help="How many people to choose parents from.")] = 240,
    seed: Annotated[int, typer.Option(help="Another seed makes other people.")] = 20261122,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet to look at.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Make photos of people who do not exist, for tests and `make demo`."""
    options = SynthesisOptions(
        data=data,
        output=output,
        parents=ParentOptions(people=parents),
        people=PeopleOptions(people=people, photos=photos, seed=seed, candidates=people * 5 // 2),
        sheet=sheet,
        device=device,
    )
    typer.echo(synthesize(options, typer.echo).table())
