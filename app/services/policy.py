"""The thresholds in force: the stated risk against who is enrolled now."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from app.domain.policy import Promise, PromiseFor, RiskPolicy, comparison_rate
from app.domain.tail_fit import LEAST_EXCESSES, measure_tail
from app.domain.tails import ImpostorTail
from app.services.ports import GalleryIndex

#: With fewer people a gallery says too little about strangers; more than this are not needed.
LEAST_OWN_PEOPLE = 100
MOST_OWN_PEOPLE = 1000
GROWTH = 1.1  # how much a gallery must grow or shrink before its own strangers are counted again
OWN_POPULATION = "the customer's own gallery"


@dataclass(frozen=True)
class OwnStrangers:
    """What the customer's own employees say of each other: people sampled, pairs, their tail."""

    people: int
    pairs: int
    tail: ImpostorTail


class DecisionPolicy:
    """Gives the promise in force, from the index as it is.

    Where at least 100 people are enrolled, the similarities of their centroids are impostor scores
    of the customer's own population; they may make both thresholds stricter and never looser. Pairs
    as alike as half of all true pairs are left out: they are an audit's business, and would let one
    double enrolment close the door to everybody.
    """

    def __init__(
        self, risk: RiskPolicy, index: GalleryIndex, prior_unknown: float, prior_same: float
    ) -> None:
        self.risk = risk
        self.prior_unknown, self.prior_same = prior_unknown, prior_same
        self._index = index
        self._counting = threading.Lock()
        self._own: OwnStrangers | None = None
        self._counted_at = 0

    @property
    def enrolled(self) -> int:
        """How many people can be found."""
        return self._index.size

    def identify(
        self, people: int | None = None, *, fused: bool = False, photos: int | None = None
    ) -> Promise:
        """Return the promise for 1:N, against all who are enrolled or ``people`` of them.

        ``photos``: how many the employee in question has; without it, whoever has the most.
        """
        enrolled = self.enrolled if people is None else people
        return self.promise(self.risk.targets.fpir, enrolled, fused=fused, photos=photos)

    def promise(
        self,
        rate: float,
        people: int,
        *,
        fused: bool = False,
        photos: int | None = None,
        promise_for: PromiseFor | None = None,
    ) -> Promise:
        """Return what would be promised for another rate or gallery, or to others."""
        own = self.own_strangers()
        floor = None
        if own is not None:
            # Only what pairs of this gallery show; a fit to so few would close the door.
            wanted = max(comparison_rate(rate, people), own.tail.extrapolated_below)
            floor = own.tail.threshold_at(min(wanted, own.tail.points[0][0]))
            # Its pairs are of centroids as they are enrolled; a burst is nearer to them all.
            floor += self.risk.shift() if fused else 0.0
        return self.risk.promise(
            rate, people, floor, fused=fused, photos=photos, promise_for=promise_for
        )

    def verify(self, *, fused: bool = False, photos: int | None = None) -> Promise:
        """Return the promise for 1:1: one comparison with the claimed employee."""
        return self.promise(self.risk.targets.fmr, 1, fused=fused, photos=photos)

    def own_strangers(self) -> OwnStrangers | None:
        """Return what the gallery says of itself; counted again after it grew by a tenth."""
        size = self._index.size
        if size < LEAST_OWN_PEOPLE:
            return None
        if self._fits(size) or not self._counting.acquire(blocking=self._counted_at == 0):
            return self._own  # while one request counts anew, the others go by the last count
        try:
            if not self._fits(size):
                self._own, self._counted_at = self._count(), size
            return self._own
        finally:
            self._counting.release()

    def _fits(self, size: int) -> bool:
        return self._counted_at / GROWTH < size < self._counted_at * GROWTH

    def _count(self) -> OwnStrangers | None:
        centroids = self._index.sample_centroids(MOST_OWN_PEOPLE)
        people = len(centroids)
        first, second = np.triu_indices(people, 1)
        similarities = (centroids @ centroids.T)[first, second]
        strangers = similarities[similarities < self.risk.surely_one_person]
        # People are what is counted: a double enrolment takes a pair away, and nobody's evidence.
        if people < LEAST_OWN_PEOPLE or len(strangers) <= LEAST_EXCESSES:
            return None
        measured = measure_tail(strangers, len(similarities) - len(strangers))
        tail = ImpostorTail(OWN_POPULATION, measured.points, measured.extrapolated_below)
        return OwnStrangers(people, len(strangers), tail)
