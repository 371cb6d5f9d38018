"""Which pairs of people are alike enough to be looked at: from which similarity, and how many."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from app.domain.audit.gallery import FloatArray, IntArray
from app.domain.audit.result import AuditThresholds
from app.domain.calibration import Calibration

#: Assumed share of people who are enrolled under a second id, before looking.
PRIOR_TWICE = 0.01
#: So many pairs are kept and compared; a gallery with more alike has other troubles.
MAX_PAIRS = 100_000


def alike_limits(
    thresholds: AuditThresholds, calibration: Calibration, counts: IntArray, people: int
) -> FloatArray:
    """Return from which similarity on a photo is alike somebody of ``counts`` photos, ``(N,)``.

    That is the threshold of 1:N, or less where less tells: the similarity from which two ids among
    ``people`` are likelier one person than two, by Bayes with ``PRIOR_TWICE``, shared by all the
    others. In a large gallery even a high similarity is likely somewhere by chance, and the telling
    one passes every threshold.
    """
    needed = math.log((1 - PRIOR_TWICE) / PRIOR_TWICE) + math.log(max(1, people - 1))
    intercepts = calibration.log_likelihood_ratios(np.zeros(len(counts)), counts)
    slopes = calibration.log_likelihood_ratios(np.ones(len(counts)), counts) - intercepts
    identify = thresholds.identify_thresholds(counts)
    limits: FloatArray = np.minimum(identify, (needed - intercepts) / slopes)
    return limits


class AlikePairs:
    """Pairs of N people who reached a similarity, each once; the most alike where they are many.

    ``photo_limits`` ``(N,)`` are thresholds of a photo with each person's centroid,
    ``centroid_limit`` of two centroids.
    """

    def __init__(
        self, photo_limits: FloatArray, centroid_limit: float, max_pairs: int = MAX_PAIRS
    ) -> None:
        self.photo_limits = photo_limits.astype(np.float32)
        self.centroid_limit = np.float32(centroid_limit)
        self._people_count = len(photo_limits)
        self._max_pairs = max_pairs
        self._floor = -1.0
        self._truncated = False
        self._numbers = np.zeros(0, np.int64)
        self._scores = np.zeros(0, np.float32)
        self._waiting: list[tuple[IntArray, npt.NDArray[np.float32]]] = []
        self._waiting_count = 0

    def add_photos(
        self, scores: npt.NDArray[np.float32], owners: IntArray, people: IntArray | None = None
    ) -> None:
        """Take a block of photos' similarities ``(R, K)`` to the centroids of ``people`` ``(K,)``.

        ``owners`` ``(R,)`` says whose the photos are; without ``people`` the columns are all N.
        ``people`` have lost photos, and may be asked for as little as people with the fewest.
        """
        limits = self.photo_limits if people is None else self.photo_limits.min()
        self._add(scores, owners, people, limits)

    def add_centroids(
        self, scores: npt.NDArray[np.float32], rows: IntArray, people: IntArray | None = None
    ) -> None:
        """Take a block of similarities ``(R, K)`` of the centroids of ``rows`` and ``people``."""
        self._add(scores, rows, people, self.centroid_limit)

    def kept(self) -> tuple[IntArray, bool]:
        """Return the pairs ``(K, 2)``, the smaller position first, and whether others were cut."""
        self._settle()
        numbers = self._numbers
        return np.stack(
            [numbers // self._people_count, numbers % self._people_count], 1
        ), self._truncated

    def _add(
        self,
        scores: npt.NDArray[np.float32],
        rows: IntArray,
        people: IntArray | None,
        limit: npt.NDArray[np.float32] | np.float32,
    ) -> None:
        row, column = np.nonzero(scores >= np.maximum(limit, np.float32(self._floor)))
        one, other = rows[row], column if people is None else people[column]
        two = one != other
        if not two.any():
            return
        one, other = one[two], other[two]
        numbers = np.minimum(one, other) * self._people_count + np.maximum(one, other)
        self._waiting.append((numbers.astype(np.int64), scores[row[two], column[two]]))
        self._waiting_count += len(numbers)
        if self._waiting_count > 2 * self._max_pairs:
            self._settle()

    def _settle(self) -> None:
        """Make one list of what was added, with the highest similarity of each pair."""
        numbers = np.concatenate([self._numbers, *(one for one, _ in self._waiting)])
        scores = np.concatenate([self._scores, *(one for _, one in self._waiting)])
        self._waiting, self._waiting_count = [], 0
        order = np.argsort(-scores, kind="stable")
        firsts = np.sort(np.unique(numbers[order], return_index=True)[1])
        if len(firsts) > self._max_pairs:
            firsts, self._truncated = firsts[: self._max_pairs], True
            self._floor = float(scores[order[firsts[-1]]])
        self._numbers, self._scores = numbers[order[firsts]], scores[order[firsts]]
