"""How often different people match by odd pictures, and whether an odd picture is its person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.foundation.arrays import BoolArray, Matrix
from training.metrics.estimates import Estimate
from training.metrics.intervals import (
    bootstrap_statistic,
    clopper_pearson,
    no_narrower_than_binomial,
)
from training.studies.odd_pictures.results import KindFigures
from training.studies.odd_pictures.served import Shown


@dataclass(frozen=True)
class ShownPeople:
    """What became of one picture of each person: embeddings ``(N, D)``, zeros where refused."""

    visiting: Matrix
    enrolled: Matrix
    at_the_door: tuple[str | None, ...]
    at_enrollment: tuple[str | None, ...]

    @staticmethod
    def of(shown: Sequence[Shown]) -> ShownPeople:
        """Return the pictures of several people together."""
        return ShownPeople(
            visiting=np.stack([one.visiting for one in shown]),
            enrolled=np.stack([one.enrolled for one in shown]),
            at_the_door=tuple(one.at_the_door for one in shown),
            at_enrollment=tuple(one.at_enrollment for one in shown),
        )

    def __len__(self) -> int:
        return len(self.visiting)

    @property
    def enters(self) -> BoolArray:
        """Which pictures the door takes, ``(N,)``."""
        return np.array([code is None for code in self.at_the_door])

    @property
    def enrolls(self) -> BoolArray:
        """Which pictures enrollment takes, ``(N,)``."""
        return np.array([code is None for code in self.at_enrollment])


def measure_kind(
    kind: str,
    odd: ShownPeople,
    plain: ShownPeople,
    groups: dict[str, range],
    threshold: float,
    *,
    persons: bool = True,
) -> KindFigures:
    """Return the figures of one kind, but for what a door says.

    ``odd`` and ``plain`` are of the same people, in one order; ``groups`` says which of them are of
    which group, and pairs are counted within it. Things are no ``persons``: nothing is theirs.
    """
    matches = matching_pairs(odd, threshold)
    passing = odd.enrolls[:, None] & odd.enters[None]
    passing = np.triu(passing | passing.T, 1)
    foreign = _cross_matches(odd, plain, threshold, persons=persons)
    return KindFigures(
        kind=kind,
        shown=len(odd),
        refused_at_the_door=_counted(odd.at_the_door),
        refused_at_enrollment=_counted(odd.at_enrollment),
        both_odd={
            group: rate_of_pairs(matches[rows.start : rows.stop, rows.start : rows.stop])
            for group, rows in groups.items()
        },
        passing_pairs=int(passing.sum()),
        passing_matches=int((passing & matches).sum()),
        one_odd=foreign,
        **(_own(odd, plain, threshold) if persons else {"itself": None, "itself_shown": None}),
        doors=(),
    )


def matching_pairs(shown: ShownPeople, threshold: float) -> BoolArray:
    """Return which pairs ``(N, N)`` match with either one enrolled and the other at the door."""
    reached = shown.enrolled @ shown.visiting.T >= threshold
    return np.asarray(reached | reached.T, dtype=np.bool_)


def rate_of_pairs(matches: BoolArray) -> Estimate:
    """Return the share of pairs of different people ``(N, N)``, symmetrical, that match.

    The interval resamples people, who take all their pairs along, and is no narrower than the
    exact one of as many independent pairs.
    """
    first, second = np.triu_indices(len(matches), 1)
    return _rate(matches[first, second], first, second)


def _cross_matches(
    odd: ShownPeople, plain: ShownPeople, threshold: float, *, persons: bool
) -> Estimate:
    """Return the rate of one odd and one plain picture of different people, either enrolled."""
    visits = odd.visiting @ plain.enrolled.T >= threshold
    keys = odd.enrolled @ plain.visiting.T >= threshold
    different = np.ones(visits.shape, bool)
    if persons:
        np.fill_diagonal(different, False)
    first, second = np.nonzero(different)
    return _rate((visits | keys)[first, second], first, second + (0 if persons else len(odd)))


def _rate(events: BoolArray, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> Estimate:
    if not events.any():
        return clopper_pearson(0, len(events))
    resampled = bootstrap_statistic(
        lambda weights: float((weights * events).sum() / weights.sum()) if weights.any() else 0.0,
        first.astype(np.int64),
        second.astype(np.int64),
    )
    return no_narrower_than_binomial(resampled, int(events.sum()))


def _own(odd: ShownPeople, plain: ShownPeople, threshold: float) -> dict[str, Estimate | None]:
    """Return how many odd pictures match their own person, of those taken and of those shown."""
    enrolled = plain.enrolls
    similar = np.einsum("nd,nd->n", odd.visiting, plain.enrolled) >= threshold
    own = similar & enrolled
    taken = odd.enters & enrolled
    return {
        "itself": clopper_pearson(int(own.sum()), int(taken.sum())) if taken.any() else None,
        "itself_shown": clopper_pearson(int(own.sum()), int(enrolled.sum()))
        if enrolled.any()
        else None,
    }


def _counted(codes: Sequence[str | None]) -> dict[str, int]:
    return dict(Counter(code for code in codes if code is not None).most_common())
