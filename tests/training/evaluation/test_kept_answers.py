"""A model is asked once about the same crops, and another model or other crops are asked anew."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tests.training.made_data import crop_set
from training.data.crops import CropSet
from training.evaluation.kept_answers import kept_answers
from training.foundation.arrays import Matrix


class Counting:
    """Answers with the number of times that it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, crops: CropSet) -> Matrix:
        self.asked += 1
        return np.full((len(crops), 2), self.asked, np.float32)


def test_the_same_question_is_answered_from_the_disk(tmp_path: Path) -> None:
    model, crops = Counting(), crop_set([0, 1, 1], [0, 0, 0], [0, 0, 0])
    first = kept_answers(tmp_path, "a", crops, model.embed)
    assert (kept_answers(tmp_path, "a", crops, model.embed) == first).all()
    assert model.asked == 1
    kept_answers(tmp_path, "b", crops, model.embed)
    darker = dataclasses.replace(crops, images=crops.images // 2)
    kept_answers(tmp_path, "a", darker, model.embed)
    renamed = dataclasses.replace(crops, files=("x", "y", "z"))
    kept_answers(tmp_path, "a", renamed, model.embed)
    assert model.asked == 4
    assert not list(tmp_path.glob("*.partial*"))


def test_nothing_is_kept_without_a_place(tmp_path: Path) -> None:
    model, crops = Counting(), crop_set([0], [0], [0])
    kept_answers(None, "a", crops, model.embed)
    kept_answers(None, "a", crops, model.embed)
    assert model.asked == 2
    assert not list(tmp_path.iterdir())
