"""The whole trial: everybody's plain pictures once, then kind after kind, then the doors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from app.domain.policy import RiskPolicy
from training.data.odd_pictures.kinds import REAL_MASKS, Kind
from training.foundation.arrays import Matrix
from training.studies.odd_pictures.bars import faults_at, faults_of
from training.studies.odd_pictures.doors import try_door, try_mixed_door
from training.studies.odd_pictures.measure import ShownPeople, measure_kind
from training.studies.odd_pictures.people import Cast, Person
from training.studies.odd_pictures.results import KindFigures, MixedDoor, OddPictures
from training.studies.odd_pictures.served import ServedPictures, as_photo

GALLERIES = (100, 300)
ROUNDS = 20
UPRIGHT = Kind("upright")


def try_kinds(
    served: ServedPictures,
    policy: RiskPolicy,
    cast: Cast,
    kinds: tuple[Kind, ...],
    galleries: Sequence[int],
    report: Callable[[str], None],
) -> OddPictures:
    """Show every kind of everybody, and return what was measured.

    Doors have ``galleries`` of so many people, or all staff where there are not enough.
    """
    trial = _Trial(served, policy, cast, galleries)
    upright = trial.measured(UPRIGHT, trial.plain)
    figures, shown = [], []
    for kind in kinds:
        if kind is REAL_MASKS and not cast.masked:
            continue
        shown.append(trial.show(kind))
        figures.append(trial.measured(kind, shown[-1]))
        report(
            f"{kind.name}: {int(shown[-1].enters.sum())} of {len(shown[-1])} taken at the door, "
            f"{figures[-1].passing_matches} of {figures[-1].passing_pairs:,} pairs that pass match"
        )
    return OddPictures(
        model=served.manifest.model_version,
        sha256=served.manifest.sha256,
        people=cast.sources,
        stated_fmr=policy.targets.fmr,
        stated_fpir=policy.targets.fpir,
        threshold=trial.threshold,
        upright=upright,
        kinds=tuple(figures),
        mixed=trial.mixed(shown),
    )


class _Trial:
    """Everybody's plain pictures, shown once, and the trials against them."""

    def __init__(
        self, served: ServedPictures, policy: RiskPolicy, cast: Cast, galleries: Sequence[int]
    ) -> None:
        self.served, self.policy, self.cast = served, policy, cast
        self.threshold = policy.verify(photos=1).threshold.similarity
        self.people: list[Person] = [one for group in cast.odd.values() for one in group]
        self.groups: dict[str, range] = {}
        for name, group in cast.odd.items():
            start = sum(len(rows) for rows in self.groups.values())
            self.groups[name] = range(start, start + len(group))
        self.plain = ShownPeople.of([served.show(person.photo) for person in self.people])
        self.staff = _taken([served.enroll(photo)[0] for photo in cast.staff])
        self.visitors = np.stack([served.visit(photo) for photo in cast.visitors])
        pairs = [(served.enroll(one)[0], served.visit(other)) for one, other in cast.employees]
        able = [(enrolled, visiting) for enrolled, visiting in pairs if enrolled.any()]
        self.employees = np.stack([one for one, _ in able]), np.stack([one for _, one in able])
        self.galleries = [size for size in galleries if size <= len(cast.staff)]
        self.galleries = self.galleries or [len(self.staff)]

    def show(self, kind: Kind) -> ShownPeople:
        """Show one odd picture of each person, or as many things or photos."""
        photos: Iterable[bytes] = self.cast.masked
        if kind.render:
            pictures = (kind.picture_of(one.portrait, one.name) for one in self.people)
            photos = map(as_photo, pictures)
        elif kind.draw:
            photos = (as_photo(kind.thing(number)) for number in range(len(self.people)))
        return ShownPeople.of([self.served.show(photo) for photo in photos])

    def measured(self, kind: Kind, shown: ShownPeople) -> KindFigures:
        """Return the figures of a kind, with the bars that it breaks."""
        persons = kind is UPRIGHT or kind.render is not None
        others = "things" if kind.draw else "unknown people"
        groups = self.groups if persons else {others: range(len(shown))}
        figures = measure_kind(
            kind.name, shown, self.plain, groups, self.threshold, persons=persons
        )
        doors = tuple(
            try_door(shown, self.staff, self.visitors, self.policy, size, ROUNDS)
            for size in self.galleries
        )
        figures = figures.model_copy(update={"doors": doors})
        faults = faults_of(kind, figures, self.policy.targets)
        return figures.model_copy(update={"faults": faults})

    def mixed(self, kinds: list[ShownPeople]) -> tuple[MixedDoor, ...]:
        """Return the trials with odd pictures of all kinds."""
        doors = [
            try_mixed_door(
                kinds,
                self.staff,
                self.visitors,
                self.employees,
                self.policy,
                self.served.manifest.calibration,
                size,
                ROUNDS,
            )
            for size in self.galleries
        ]
        targets = self.policy.targets
        return tuple(door.model_copy(update={"faults": faults_at(door, targets)}) for door in doors)


def _taken(rows: list[Matrix]) -> Matrix:
    return np.stack([row for row in rows if row.any()])
