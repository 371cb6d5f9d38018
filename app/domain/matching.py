"""How a face compares with the gallery, before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class GallerySimilarities:
    """One probe against the whole gallery: parallel arrays ``(N,)``, in no particular order.

    Of M probes against one gallery, ``similarities`` is ``(M, N)``.
    """

    employee_keys: npt.NDArray[np.int64]
    similarities: npt.NDArray[np.floating]
    photo_counts: npt.NDArray[np.int64]


def most_probable(
    log_likelihood_ratios: npt.NDArray[np.float64], keys: npt.NDArray[np.int64], limit: int
) -> npt.NDArray[np.intp]:
    """Return the positions of the ``limit`` largest ratios, the largest first; ties by key."""
    count = len(log_likelihood_ratios)
    chosen = np.arange(count)
    if limit < count:
        # All who are as probable as the last, for the key decides which of them is among the first.
        last = np.partition(log_likelihood_ratios, count - limit)[count - limit]
        chosen = np.flatnonzero(log_likelihood_ratios >= last)
    return chosen[np.lexsort((keys[chosen], -log_likelihood_ratios[chosen]))][:limit]
