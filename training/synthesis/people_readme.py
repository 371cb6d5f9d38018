"""What is known of a set of new people, as a table and as the README beside their photos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

README = """# People who do not exist

{people} people with {photos} photos each. Nobody here exists: every face is a blend of aligned
photos of two people, bent to features of its own, drawn towards the mean of the new person's
photos, and painted into a plain synthetic scene. They are for tests and for `make demo`, never for
training or for figures of accuracy.

Made by

    python -m training synthesize --people {people} --photos {photos} --seed {seed}

which needs the training data. It chose the parents' photos, and the people out of more, by what
the teachers say, so recognition finds these people easier than real ones. In every photo the
detector finds exactly one face of at least 100 px.

Enrolled with the mean of the first {enrolled} photos, everybody against everybody:

{table}

The cosine of a new person's photos to those of a parent is {middle:.2f} in the middle and
{highest:.2f} at most (mean over photos; the higher of the parents and teachers counts).
"""


@dataclass(frozen=True)
class SynthesisReport:
    """How well a set of new people is told apart.

    By teacher: the lowest cosine of a later photo to the own enrollment, and the highest of any
    photo of another person to it. ``parent_likeness`` has an entry for each new person.
    """

    people: int
    photos: int
    enrolled: int
    seed: int
    teachers: tuple[str, ...]
    min_genuine: tuple[float, ...]
    highest_impostor: tuple[float, ...]
    parent_likeness: tuple[float, ...]

    def table(self) -> str:
        """Return the figures as a table in Markdown."""
        rows = [
            "| teacher | least genuine | highest impostor | margin |",
            "|---|---|---|---|",
        ]
        for name, own, other in zip(
            self.teachers, self.min_genuine, self.highest_impostor, strict=True
        ):
            rows.append(f"| {name} | {own:.3f} | {other:.3f} | {own - other:.3f} |")
        return "\n".join(rows)


def write_readme(report: SynthesisReport, path: Path) -> None:
    """Write how these people were made, and how distinct they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        README.format(
            people=report.people,
            photos=report.photos,
            enrolled=report.enrolled,
            seed=report.seed,
            table=report.table(),
            middle=median(report.parent_likeness),
            highest=max(report.parent_likeness),
        )
    )
