"""Makes photos of people who do not exist, and says how distinct they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.foundation.device import choose_device
from training.recipes.recipe import load_recipe
from training.synthesis.encoding import contact_sheet
from training.synthesis.looks import TeacherEnsemble
from training.synthesis.parents import ParentOptions, read_parents
from training.synthesis.people import NewPerson, PeopleOptions, make_people, margins
from training.synthesis.people_readme import SynthesisReport, write_readme
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


def synthesize(options: SynthesisOptions, tell: Callable[[str], None]) -> SynthesisReport:
    """Write new people's photos to ``output/person-<nn>/<n>.jpg`` and tell how distinct they are.

    Raises ``DataError`` or ``FileNotFoundError`` where data or teachers are missing, and
    ``ValueError`` where the parents do not suffice.
    """
    recipe = load_recipe(options.recipe)
    device = choose_device(options.device)
    configure_opencv(threads=1)
    vision = FaceVision(FaceDetector(read_detector_weights()))
    teachers = TeacherEnsemble(
        [Teacher(teacher, options.data, device) for teacher in recipe.teachers]
    )
    paths = [
        options.data / path for source in recipe.sources if source.labelled for path in source.paths
    ]
    rng = np.random.default_rng([options.people.seed, 0])
    parents = read_parents(paths, options.parents, vision, rng, tell)
    people = make_people(parents, options.people, teachers, vision, tell)
    _write(people, options.output)
    if options.sheet is not None:
        _draw_sheet(people, vision, options.sheet)
    genuine, impostor = margins(people, options.people.enrolled)
    report = SynthesisReport(
        people=len(people),
        photos=options.people.photos,
        enrolled=options.people.enrolled,
        seed=options.people.seed,
        teachers=teachers.names,
        min_genuine=tuple(map(float, genuine)),
        highest_impostor=tuple(map(float, impostor)),
        parent_likeness=tuple(person.parent_likeness for person in people),
    )
    write_readme(report, options.output / "README.md")
    return report


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
