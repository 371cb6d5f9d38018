"""Options of a calibration on one's own people, which several commands share, and their meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.calibration.own_calibration import OwnCrops, read_crops_of
from training.calibration.own_people import (
    OwnPopulation,
    OwnSources,
    foreseen,
    leave_out_learned,
    read_population,
)
from training.engines.learned_from import LearnedFrom
from training.export.provenance import DataFile, picture_files
from training.export.sface_origin import OUT
from training.recipes.transform_recipe import TransformRecipe

MEGABYTE = 1_000_000
#: Where models of one's own are written, outside of the repository.
OWN_MODELS = OUT

PeopleOption = Annotated[
    str | None,
    typer.Option(help="Your people to calibrate on: a folder of identities, or KIND:PATH."),
]
StrangersOption = Annotated[
    str | None,
    typer.Option(help="Strangers to them; without, those of --people with a single photo."),
]
GroupsOption = Annotated[
    Path | None,
    typer.Option(help="CSV of the strangers' groups: file, group and maybe gender."),
]
AlignOption = Annotated[
    bool,
    typer.Option(
        "--align", help="Pictures are whole photos: find and align faces as the service does."
    ),
]
LeaveOutOption = Annotated[
    bool,
    typer.Option(
        "--leave-out-learned", help="Leave out whom the network learned from, instead of refusing."
    ),
]
LicenceOption = Annotated[
    str | None,
    typer.Option(help="The licence of the pictures, or of the weights, for the card to state."),
]
MegabytesOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How large the file may be: 16 for what ships in a repository, else 512, which every "
        "process of the service reads and holds.",
    ),
]


def read_own_people(
    sources: OwnSources, learned: tuple[LearnedFrom, TransformRecipe] | None = None
) -> tuple[OwnCrops, tuple[DataFile, ...]]:
    """Read whom to calibrate on, and the files for the manifest; say first what they can support.

    ``learned``: whom the network learned from, and how it fits pictures; None where that is not
    known. Raises ``DataError`` where people are too few or were learned from.
    """
    population = read_population(
        sources.people, sources.strangers, sources.groups, align=sources.align
    )
    typer.echo("\n".join(foreseen(population)))
    if learned is not None:
        population = _without_learned(population, *learned, leave_out=sources.leave_out)
    else:
        typer.echo("whom the network learned from is not known: that they are others is your word")
    crops = read_crops_of(population, lambda line: typer.echo(line, err=True))
    return crops, picture_files(sources.people, sources.strangers, sources.groups)


def _without_learned(
    population: OwnPopulation,
    record: LearnedFrom,
    transform: TransformRecipe,
    *,
    leave_out: bool,
) -> OwnPopulation:
    kept, seen = leave_out_learned(population, record, transform, leave_out=leave_out)
    if seen:
        typer.echo(f"{len(seen)} identities were learned from and are left out; of the others:")
        typer.echo("\n".join(foreseen(kept)))
    else:
        typer.echo("none of them was learned from, by names and by pixels")
    return kept
