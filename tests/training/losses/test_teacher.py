from __future__ import annotations

import numpy as np
import pytest
import torch

from training.foundation.errors import DataError
from training.losses.teacher import teacher_term


def test_directions_are_those_of_the_teacher_and_similarities_need_no_size() -> None:
    rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    larger = torch.randn(6, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert float(teacher_term("cosine", rows, 3 * rows)) == pytest.approx(0.0)
    assert float(teacher_term("similarity", rows, 3 * rows)) == pytest.approx(0.0)
    one, two = (m.numpy() / np.linalg.norm(m.numpy(), axis=1)[:, None] for m in (rows, larger))
    errors = [
        (float(one[i] @ one[j]) - float(two[i] @ two[j])) ** 2
        for i in range(6)
        for j in range(6)
        if i != j
    ]
    assert float(teacher_term("similarity", rows, larger)) == pytest.approx(np.mean(errors))


def test_a_teacher_of_another_size_is_refused_with_the_way_out() -> None:
    with pytest.raises(DataError, match='9 numbers, the network\'s 4; use kind = "similarity"'):
        teacher_term("cosine", torch.ones(2, 4), torch.ones(2, 9))
