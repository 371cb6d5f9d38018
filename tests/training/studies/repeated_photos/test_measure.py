from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from app.domain.embeddings import Embedding, as_embedding
from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.invented_people import invented_people
from training.studies.repeated_photos.measure import (
    USUAL,
    encoded_anew,
    measure_known_again,
    measure_taken_for_repeats,
)


def embed_by_pixels(crops: npt.NDArray[np.uint8]) -> list[Embedding]:
    """Stand for a network: a crop's own pixels, of eight by eight cells, without their mean."""
    cells = crops.reshape(len(crops), 3, 8, 14, 8, 14).mean(axis=(3, 5)).reshape(len(crops), -1)
    centred = cells - cells.mean(axis=1, keepdims=True)
    return [as_embedding(row / np.linalg.norm(row)) for row in centred]


def test_a_photo_encoded_anew_is_counted_in_every_way() -> None:
    vision = FaceVision(FaceDetector(read_detector_weights()))
    photos = [invented_people()[0].photos[0].read_bytes()]
    found = {one.way: one for one in measure_known_again(vision, embed_by_pixels, photos)}
    assert {"the same file", *USUAL} <= set(found)
    assert all(one.photos == 1 for one in found.values())
    assert found["the same file"].share == found["png"].share == 1
    assert found["png"].lowest_similarity == pytest.approx(1)


def test_what_is_no_picture_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        next(encoded_anew(b"garbage"))


def test_only_photos_of_one_person_are_paired() -> None:
    axes = np.eye(4)
    near = axes[0] * 0.95 + axes[1] * np.sqrt(1 - 0.95**2)
    embeddings = np.stack([axes[0], near, axes[2], axes[0]])
    found = measure_taken_for_repeats(embeddings, np.array([1, 1, 1, 2]))
    assert (found.pairs, found.alike) == (3, 1)
