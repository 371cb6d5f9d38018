"""The people who do not exist, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PEOPLE = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "people"
ENROLLED_COUNT = 16
ENROLLED_PHOTOS = 3


@dataclass(frozen=True)
class InventedPerson:
    """One person and the photos of it, in order."""

    name: str
    photos: tuple[Path, ...]


def invented_people(root: Path = PEOPLE) -> list[InventedPerson]:
    """Return all people below ``root``, those to enroll first: every third is kept as a stranger.

    Raises ``FileNotFoundError`` where there are none.
    """
    people = [
        InventedPerson(folder.name, tuple(sorted(folder.glob("*.jpg"))))
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    ]
    if not people:
        raise FileNotFoundError(f"{root} holds no people")
    strangers = people[2::3]
    return [person for person in people if person not in strangers] + strangers
