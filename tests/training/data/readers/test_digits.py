from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from training.data.readers.digits import read_digits


def test_all_digits_are_there_with_full_ink() -> None:
    images = read_digits()
    assert len(images) == 1797
    assert images.label_names == tuple("0123456789")
    picture = images.items[0].read()
    assert picture.shape == (8, 8, 3)
    assert picture.max() == round(float(load_digits().images[0].max()) * 255 / 16)


def test_three_quarters_of_every_class_come_first_and_are_learned_from() -> None:
    images = read_digits()
    for digit in images.label_names:
        splits = [item.split for item in images.items if item.label == digit]
        train = len(splits) * 3 // 4
        assert splits == ["train"] * train + ["test"] * (len(splits) - train)


def test_labels_belong_to_their_drawings() -> None:
    bunch = load_digits()
    for item in read_digits().items[::97]:
        row = int(item.key.split("/")[1])
        assert item.label == str(bunch.target[row])
        expected = np.round(bunch.images[row] * 255 / 16).astype(np.uint8)
        np.testing.assert_array_equal(item.read()[:, :, 0], expected)
