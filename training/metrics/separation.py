"""How far all pairs of a table separate: AUC and EER with intervals, and whether they do at all.

Every pair of a set counts, however many: intervals come from histograms by identity, which any
resample of the identities only has to weigh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from training.foundation.arrays import FloatArray, IntArray, Matrix, Similarities
from training.foundation.records import Record
from training.metrics.estimates import Estimate
from training.metrics.intervals import (
    SEED,
    VERTEX_REPLICATES,
    people_weights,
    percentile_interval,
)
from training.metrics.pairs import blocks, same_and_different
from training.metrics.ranked_pairs import area_of_steps, equal_error_of_steps
from training.metrics.verification import area_under_curve, equal_error_rate

#: A pair at or above it is of two pictures that the network does not tell apart, and a table
#: where so many pairs are has collapsed.
ALIKE, COLLAPSED_SHARE = 0.999, 0.99
MAX_EXACT = 64  # identities: beyond it, histograms of each two of them would fill the memory
STEPS_OF_A_KIND = 500
SAMPLED = 200_000

#: From the weights of genuine and of other pairs at ascending similarities to a figure.
OfSteps = Callable[[FloatArray, FloatArray], float]


class Spread(Record):
    """Where the cosines of all pairs lie; ``alike`` is the share of pairs at 0.999 or above.

    ``collapsed``: nearly all pairs are, so that every image has the same embedding and figures of
    this table are those of rounding errors.
    """

    same: float
    different: float
    alike: float
    collapsed: bool


def measure_spread(same: Similarities, different: Similarities) -> Spread:
    """Return the mean cosine of pairs of one identity and of two, and whether all are one."""
    count = len(same) + len(different)
    alike = float(((same >= ALIKE).sum() + (different >= ALIKE).sum()) / count)
    return Spread(
        same=float(same.mean(dtype=np.float64)),
        different=float(different.mean(dtype=np.float64)),
        alike=alike,
        collapsed=alike >= COLLAPSED_SHARE,
    )


def collapse_warning(spread: Spread) -> str:
    """Return the sentence that says of a collapsed table what it is."""
    return (
        f"collapsed: {100 * spread.alike:.1f} % of all pairs have a cosine of {ALIKE} or above "
        f"(mean of two identities {spread.different:.5f}): every image has the same embedding, and "
        "no figure of these means anything"
    )


class PairHistograms:
    """Histograms of all pairs of known identities, for any weights of these.

    A pair of two people weighs the product of their weights, a pair of one person as much as that
    one. Of up to 64 identities this is exact; of more, the product of the weights a and b is taken
    for a + b - 1, its first-order part about (1, 1), which is all that matters among many.
    """

    def __init__(self, embeddings: Matrix, labels: IntArray, edges: FloatArray) -> None:
        """Count the pairs ``i < j`` of unit embeddings ``(N, D)`` between ascending ``edges``."""
        numbers, numbered = np.unique(labels, return_inverse=True)
        self.identities, self._steps = len(numbers), len(edges) + 1
        self._exact = self.identities <= MAX_EXACT
        rows = self.identities**2 if self._exact else self.identities
        self._genuine = np.zeros((self.identities, self._steps))
        self._other = np.zeros((rows, self._steps))
        for start, block in blocks(embeddings, embeddings):
            own = numbered[start : start + len(block)]
            above = np.arange(start, start + len(block))[:, None] < np.arange(len(numbered))[None]
            same = own[:, None] == numbered[None]
            self._count(self._genuine, block, above & same, edges, own[:, None])
            if self._exact:
                both = own[:, None] * self.identities + numbered[None]
                self._count(self._other, block, above & ~same, edges, both)
            else:
                self._count(self._other, block, ~same, edges, own[:, None])  # from either side

    def _count(
        self, counts: FloatArray, block: Matrix, wanted: Matrix, edges: FloatArray, owners: IntArray
    ) -> None:
        steps = np.searchsorted(edges, block[wanted], side="right")
        places = np.broadcast_to(owners, block.shape)[wanted] * self._steps + steps
        counts += np.bincount(places, minlength=counts.size).reshape(counts.shape)

    def of(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the weight of genuine and of other pairs at each step, ``(S,)`` each."""
        if self._exact:
            other = np.outer(weights, weights).ravel() @ self._other
        else:
            other = np.maximum((weights - 0.5) @ self._other, 0.0)
        return weights @ self._genuine, other


def separation_of(runs: Sequence[tuple[Matrix, IntArray]]) -> dict[str, Estimate]:
    """Return AUC and EER of all pairs, the mean over ``runs``, with intervals by identity.

    ``runs`` are embeddings ``(N, D)`` of the same images and their identities ``(N,)``, all of
    them known; one, or one for each seed. The values are exact, intervals come from a thousand
    steps of similarity.
    """
    exact: dict[str, list[float]] = {"AUC": [], "EER": []}
    histograms, pairs = [], 0
    for run in runs:
        same, _, different = same_and_different(*run)
        exact["AUC"].append(area_under_curve(same, different))
        exact["EER"].append(equal_error_rate(same, different))
        histograms.append(PairHistograms(*run, _edges(same, different)))
        pairs = len(same) + len(different)
    statistics: dict[str, OfSteps] = {"AUC": area_of_steps, "EER": equal_error_of_steps}
    random = np.random.default_rng(SEED)
    people = histograms[0].identities
    found: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(VERTEX_REPLICATES):
        weights = people_weights(people, random)
        resampled = [one.of(weights) for one in histograms]
        for name, statistic in statistics.items():
            found[name].append(float(np.mean([statistic(*steps) for steps in resampled])))
    intervals = {}
    for name, values in exact.items():
        mean = float(np.mean(values))
        intervals[name] = percentile_interval(mean, _usable(found[name], mean), pairs)
    return intervals


def _usable(replicates: list[float], value: float) -> FloatArray:
    """Return the replicates that hold pairs of both kinds; the value itself where none does."""
    found = np.array(replicates)
    usable: FloatArray = found[np.isfinite(found)]
    return usable if len(usable) else np.array([value])


def _edges(same: Similarities, different: Similarities) -> FloatArray:
    """Return ascending borders of steps that hold as many pairs of either kind each."""
    random = np.random.default_rng(SEED)
    shares = np.linspace(0, 1, STEPS_OF_A_KIND + 1)[1:]
    parts = [
        np.quantile(values if len(values) <= SAMPLED else random.choice(values, SAMPLED), shares)
        for values in (same, different)
    ]
    return np.unique(np.concatenate(parts).astype(np.float64))
