"""The thresholds in force: the stated risk against who is enrolled now."""

from __future__ import annotations

import threading

from app.domain.own_strangers import (
    MAX_OWN_PEOPLE,
    MIN_OWN_PEOPLE,
    OwnStrangers,
    count_own_strangers,
)
from app.domain.policy import Promise, PromiseFor, RiskPolicy
from app.services.ports import GalleryIndex

GROWTH = 1.1  # how much a gallery must grow or shrink before its own strangers are counted again


class DecisionPolicy:
    """Gives the promise in force, from the index as it is.

    Where at least 100 people are enrolled, they may make both thresholds stricter and never looser
    (``app.domain.own_strangers``).
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

        ``photos``: how many the employee in question has; without it, the highest number.
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
        floor = None if own is None else own.floor(rate, people, self.risk, fused=fused)
        return self.risk.promise(
            rate, people, floor, fused=fused, photos=photos, promise_for=promise_for
        )

    def verify(self, *, fused: bool = False, photos: int | None = None) -> Promise:
        """Return the promise for 1:1: one comparison with the claimed employee."""
        return self.promise(self.risk.targets.fmr, 1, fused=fused, photos=photos)

    def own_strangers(self) -> OwnStrangers | None:
        """Return what the gallery says of itself; counted again after it grew by a tenth."""
        size = self._index.size
        if size < MIN_OWN_PEOPLE:
            return None
        if self._fits(size) or not self._counting.acquire(blocking=self._counted_at == 0):
            return self._own  # while one request counts anew, the others go by the last count
        try:
            if not self._fits(size):
                sample = self._index.sample_centroids(MAX_OWN_PEOPLE)
                self._own, self._counted_at = count_own_strangers(sample, self.risk), size
            return self._own
        finally:
            self._counting.release()

    def _fits(self, size: int) -> bool:
        return self._counted_at / GROWTH < size < self._counted_at * GROWTH
