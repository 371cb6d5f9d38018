"""What the trial of odd pictures found, as records that are written to JSON."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.estimates import Estimate


class DoorTrial(Record):
    """Strangers at the door of ``people`` enrolled, ``odd_enrolled`` of them by odd pictures.

    Rates are of all attempts, refused ones among them: ``plain`` of upright strangers, ``odd`` of
    strangers by odd pictures of the kind.
    """

    people: int
    odd_enrolled: int
    threshold: float
    plain: Estimate
    odd: Estimate


class KindFigures(Record):
    """One kind: how many were shown, refused with which codes, and who matched others.

    ``both_odd``: by group, the share of all pairs of different people in which both odd pictures
    pass (one at enrollment, the other at the door) *and* match at the threshold for claims.
    ``passing_pairs`` and ``passing_matches`` count the pairs of everybody that pass, and match.
    ``one_odd``: as ``both_odd``, of one odd and one upright picture. ``itself``: of the odd
    pictures that the door takes, how many match the same person's upright picture;
    ``itself_shown`` of all that were shown (both None for things). ``faults`` says which bars are
    broken.
    """

    kind: str
    shown: int
    refused_at_the_door: dict[str, int]
    refused_at_enrollment: dict[str, int]
    both_odd: dict[str, Estimate]
    passing_pairs: int
    passing_matches: int
    one_odd: Estimate
    itself: Estimate | None
    itself_shown: Estimate | None
    doors: tuple[DoorTrial, ...]
    faults: tuple[str, ...] = ()


class MixedDoor(Record):
    """A gallery with 1 % odd enrollments of any kind that passed, and everybody at its door.

    ``plain`` and ``odd`` as of ``DoorTrial``; ``known``: employees, enrolled and shown by plain
    photos, who are known as themselves.
    """

    people: int
    odd_enrolled: int
    threshold: float
    plain: Estimate
    odd: Estimate
    known: Estimate
    faults: tuple[str, ...] = ()


class OddPictures(Record):
    """Everything that ``python -m training study odd-pictures`` measures."""

    model: str
    sha256: str
    people: str
    stated_fmr: float
    stated_fpir: float
    threshold: float
    upright: KindFigures
    kinds: tuple[KindFigures, ...]
    mixed: tuple[MixedDoor, ...]
