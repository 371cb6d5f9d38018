"""How many cores training takes."""

from __future__ import annotations

import os

import pytest
import torch

from training.foundation.device import choose_device


@pytest.mark.parametrize("stated", ["2", "", "0", "many"])
def test_training_takes_as_many_cores_as_omp_num_threads_says_or_all(
    monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    before = torch.get_num_threads()
    try:
        assert choose_device("cpu") == torch.device("cpu")
        expected = 2 if stated == "2" else len(os.sched_getaffinity(0))
        assert torch.get_num_threads() == expected
    finally:
        torch.set_num_threads(before)
