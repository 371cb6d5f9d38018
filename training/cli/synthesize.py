"""``python -m training synthesize``: photos of people who do not exist, and the proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.foundation.device import choose_device
from training.recipes.recipe import load_recipe
from training.synthesis.encoding import contact_sheet
from training.synthesis.looks import Judges
from training.synthesis.parents import ParentOptions, read_parents
from training.synthesis.people import NewPerson, PeopleOptions, make_people, margins
from training.synthesis.report import SynthesisReport, write_readme
from training.teachers.torchscript import Teacher

DEFAULT_OUTPUT = Path("tests/fixtures/people")


@dataclass(frozen=True)
class SynthesisOptions:
    """What to make from what. ``recipe`` names the teachers and the labelled source of parents."""

    data: Path
    output: Path = DEFAULT_OUTPUT
    recipe: str = "all"
    parents: ParentOptions = field(default_factory=ParentOptions)
    people: PeopleOptions = field(default_factory=PeopleOptions)
    sheet: Path | None = None
    device: str | None = None


def synthesize(options: SynthesisOptions) -> SynthesisReport:
    """Write new people's photos to ``output/person-<nn>/<n>.jpg`` and tell how distinct they are.

    Raises ``DataError`` or ``FileNotFoundError`` where data or teachers are missing, and
    ``ValueError`` where the parents do not suffice.
    """
    recipe = load_recipe(options.recipe)
    device = choose_device(options.device)
    configure_opencv(threads=1)
    vision = FaceVision(FaceDetector(read_detector_weights()))
    judges = Judges([Teacher(teacher, options.data, device) for teacher in recipe.teachers])
    paths = [
        options.data / path for source in recipe.sources if source.labelled for path in source.paths
    ]
    rng = np.random.default_rng([options.people.seed, 0])
    parents = read_parents(paths, options.parents, vision, rng, typer.echo)
    people = make_people(parents, options.people, judges, vision, typer.echo)
    _write(people, options.output)
    if options.sheet is not None:
        _draw_sheet(people, vision, options.sheet)
    genuine, impostor = margins(people, options.people.enrolled)
    report = SynthesisReport(
        people=len(people),
        photos=options.people.photos,
        enrolled=options.people.enrolled,
        seed=options.people.seed,
        teachers=judges.names,
        least_genuine=tuple(map(float, genuine)),
        highest_impostor=tuple(map(float, impostor)),
        parent_likeness=tuple(person.parent_likeness for person in people),
    )
    write_readme(report, options.output / "README.md")
    return report


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
    typer.echo(synthesize(options).table())


def _write(people: list[NewPerson], output: Path) -> None:
    for old in output.glob("person-*/*.jpg"):
        old.unlink()
    for number, person in enumerate(people, start=1):
        folder = output / f"person-{number:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        for position, scene in enumerate(person.scenes, start=1):
            (folder / f"{position}.jpg").write_bytes(scene)


def _draw_sheet(people: list[NewPerson], vision: FaceVision, path: Path) -> None:
    rows = [[*person.blends, *map(vision.decode, person.scenes)] for person in people]
    path.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows).save(path)
