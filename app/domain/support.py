"""What a calibration on so many people can support, and what it cannot promise."""

from __future__ import annotations

import math
from dataclasses import dataclass


def rarest_supported(trials: int) -> float:
    """Return the rarest rate that so many independent trials can support; 1 for three or fewer.

    The rule of three: where none of n trials shows an event, its rate is below 3/n with 95 %
    confidence (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA
    1983; ISO/IEC 19795-1 counts people and not their comparisons).
    """
    return min(1.0, 3 / max(1, trials))


def pairs_of(people: int) -> int:
    """Return how many pairs so many people make."""
    return people * (people - 1) // 2


@dataclass(frozen=True)
class Support:
    """The people behind a calibration; no promise and no probability goes beyond them.

    ``people`` with ``photos`` in all: those whose photos were compared with each other;
    ``strangers``: one photo each, no two of one person. ``small_groups`` have too few strangers for
    a rate of their own.
    """

    people: int
    photos: int
    strangers: int
    small_groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ``ValueError`` where there are too few of either to say anything."""
        if self.people <= 3 or self.strangers <= 3:
            raise ValueError("a calibration is of more than three people and strangers")

    @property
    def log_ratio_bounds(self) -> tuple[float, float]:
        """The logarithms of the smallest and the largest likelihood ratio that they support.

        A score that no stranger reached is, by the rule of three, reached by up to 3/n of them, so
        that it cannot be more than n/3 times as probable of the same person; and likewise below.
        """
        return math.log(rarest_supported(self.people)), -math.log(rarest_supported(self.strangers))
