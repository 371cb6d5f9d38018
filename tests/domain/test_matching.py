from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.domain.matching import most_probable


@given(
    ratios=st.lists(st.integers(-3, 3), max_size=30),
    limit=st.integers(1, 40),
    seed=st.integers(0, 1000),
)
def test_the_most_probable_are_those_of_a_full_sort(
    ratios: list[int], limit: int, seed: int
) -> None:
    keys = np.random.default_rng(seed).permutation(len(ratios)).astype(np.int64)
    values = np.asarray(ratios, dtype=np.float64)
    order = most_probable(values, keys, limit)
    expected = sorted(range(len(ratios)), key=lambda row: (-values[row], keys[row]))
    assert order.tolist() == expected[:limit]
