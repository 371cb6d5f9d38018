from __future__ import annotations

import numpy as np
import pytest

from app.vision.reader import FaceVision
from tests.training.synthesis.doubles import invented_parent, new_vision
from training.synthesis.blending import blend_faces, draw_shape, draw_together
from training.synthesis.parents import Parent, face_ellipse

NO_SHAPE = np.zeros((17, 2))


@pytest.fixture(scope="module")
def vision() -> FaceVision:
    return new_vision()


@pytest.fixture(scope="module")
def parents(vision: FaceVision) -> list[Parent]:
    return [invented_parent(vision, number) for number in (1, 2)]


def test_a_face_blended_with_itself_stays_itself(parents: list[Parent]) -> None:
    crop, points = parents[0].crops[0], parents[0].landmarks[0]
    blend = blend_faces([crop, crop], [points, points], NO_SHAPE)
    inside = face_ellipse(0.9) < 1
    assert np.abs(blend.astype(int) - crop)[inside].mean() < 4


def test_the_blend_has_the_mean_landmarks(parents: list[Parent], vision: FaceVision) -> None:
    first, second = parents
    apart = first.landmarks[0] + np.array([[-3, 0], [3, 0], [0, 3], [-3, 2], [3, 2]])
    blend = blend_faces(
        [first.crops[0], second.crops[0]], [first.landmarks[0], second.landmarks[0]], NO_SHAPE
    )
    mean = (first.landmarks[0] + second.landmarks[0]) / 2
    found = np.array(vision.detect(blend)[0].landmarks)
    assert np.linalg.norm(found - mean, axis=1).mean() < 2.5
    assert np.linalg.norm(apart - mean, axis=1).mean() > 0


def test_the_blend_does_not_depend_on_the_order(parents: list[Parent]) -> None:
    crops = [parent.crops[0] for parent in parents]
    points = [parent.landmarks[0] for parent in parents]
    shape = draw_shape(np.random.default_rng(0), 3.0)
    there = blend_faces(crops, points, shape)
    back = blend_faces(crops[::-1], points[::-1], shape)
    assert np.abs(there.astype(int) - back).max() <= 1


def test_a_shape_moves_features_symmetrically() -> None:
    shape = draw_shape(np.random.default_rng(3), 3.0)
    assert shape.shape == (17, 2)
    assert np.allclose(shape[0] * [-1, 1], shape[1])
    assert np.allclose(shape[3] * [-1, 1], shape[4])
    assert shape[2, 0] == 0
    assert not draw_shape(np.random.default_rng(3), 0.0).any()


def test_photos_drawn_together_are_more_alike_and_keep_their_light(parents: list[Parent]) -> None:
    photos = [parents[0].crops[0], parents[1].crops[0]]
    drawn = draw_together(photos, 0.5)
    inside = face_ellipse(0.85) < 1

    def apart(pictures: list[np.ndarray]) -> float:
        plain = [p[inside] - p[inside].mean(axis=0) for p in pictures]
        return float(np.abs(plain[0] - plain[1]).mean())

    assert apart(drawn) < 0.8 * apart(photos)
    for before, after in zip(photos, drawn, strict=True):
        assert np.abs(before[inside].mean(axis=0) - after[inside].mean(axis=0)).max() < 6
