from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.alignment import ARCFACE_TEMPLATE
from app.vision.alignment import align_face, crop_side, crop_transform, inside_share
from tests.vision.pictures import Pixels, smooth_noise

similarities = st.builds(
    lambda scale, angle, x, y: np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), x],
            [scale * np.sin(angle), scale * np.cos(angle), y],
        ]
    ),
    st.floats(0.3, 8),
    st.floats(-3.1, 3.1),
    st.floats(-300, 300),
    st.floats(-300, 300),
)


def moved(
    points: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


@settings(deadline=None)
@given(similarities, st.sampled_from([(112, 0.0), (112, 8.0), (80, 0.0), (160, 4.0)]))
def test_landmarks_land_on_the_template(
    similarity: npt.NDArray[np.float64], shape: tuple[int, float]
) -> None:
    size, margin = shape
    matrix = crop_transform(moved(ARCFACE_TEMPLATE, similarity), size=size, margin=margin)
    landed = moved(moved(ARCFACE_TEMPLATE, similarity), matrix)
    scale = size / 112
    assert np.allclose((landed + 0.5) / scale - 0.5 - margin, ARCFACE_TEMPLATE, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 9), st.floats(-0.6, 0.6), st.floats(-3, 3), st.floats(-3, 3))
def test_the_crop_of_a_warped_face_is_the_face(
    scale: float, angle: float, x: float, y: float
) -> None:
    """At every scale, enlarged or reduced, the same picture must come back in the same place."""
    face = smooth_noise(112)
    photo, landmarks = photo_with(face, scale, angle, (x, y))
    crop = align_face(photo, landmarks).transpose(1, 2, 0)
    difference = np.abs(crop.astype(float) - face)[4:-4, 4:-4]
    assert difference.mean() < 2.5
    assert not shifted_is_better(crop, face)


def photo_with(
    face: Pixels, scale: float, angle: float, shift: tuple[float, float]
) -> tuple[Pixels, npt.NDArray[np.float64]]:
    side = round(112 * scale * 1.6) + 12
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([55.5, 55.5])
    matrix = np.hstack([turn, (np.array(shift) + side / 2 - turn @ centre)[:, None]])
    photo = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return photo.astype(np.uint8), moved(ARCFACE_TEMPLATE, matrix)


def shifted_is_better(crop: Pixels, face: Pixels) -> bool:
    """Tell whether moving the crop by a pixel in any direction would match the face better."""
    here = np.abs(crop.astype(float) - face)[8:-8, 8:-8].mean()
    return any(
        np.abs(np.roll(crop, (dy, dx), (0, 1)).astype(float) - face)[8:-8, 8:-8].mean() < here
        for dy, dx in [(0, 1), (0, -1), (1, 0), (-1, 0)]
    )


def test_a_large_face_is_averaged_and_not_sampled() -> None:
    """A one-pixel chequerboard must become grey; skipping over pixels would give stripes."""
    rows, columns = np.mgrid[:1600, :1600]
    board = np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    crop = align_face(board, ARCFACE_TEMPLATE * 11.37 + 80)
    assert np.abs(crop.astype(float) - 127.5).max() < 12


def test_the_margin_only_adds_to_the_crop() -> None:
    photo, landmarks = photo_with(smooth_noise(112), 1.7, 0.2, (0.0, 0.0))
    wide = align_face(photo, landmarks, margin=8)
    assert wide.shape == (3, 128, 128)
    plain = align_face(photo, landmarks)
    assert plain.shape == (3, 112, 112)
    assert np.abs(wide[:, 8:-8, 8:-8].astype(int) - plain).max() <= 2


@pytest.mark.parametrize(("size", "margin", "side"), [(112, 0, 112), (112, 8, 128), (224, 8, 256)])
def test_the_side_of_a_crop(size: int, margin: float, side: int) -> None:
    assert crop_side(size, margin) == side
    crop = align_face(smooth_noise(200), ARCFACE_TEMPLATE + 30, size=size, margin=margin)
    assert crop.shape == (3, side, side)
    assert crop.dtype == np.uint8


@pytest.mark.parametrize("place", [(-500.0, -500.0), (5000.0, 0.0), (-60.0, 20.0)])
@pytest.mark.parametrize("scale", [0.05, 1.0, 30.0])
def test_a_face_partly_or_wholly_outside_gives_a_crop_all_the_same(
    place: tuple[float, float], scale: float
) -> None:
    crop = align_face(smooth_noise(90), ARCFACE_TEMPLATE * scale + np.array(place))
    assert crop.shape == (3, 112, 112)


@pytest.mark.parametrize(
    ("shape", "share"),
    [((300, 300), 1.0), ((300, 156), 0.5), ((156, 300, 3), 0.5), ((156, 156), 0.25), ((9, 9), 0.0)],
)
def test_it_is_told_how_much_of_the_crop_a_picture_holds(
    shape: tuple[int, ...], share: float
) -> None:
    assert inside_share(shape, ARCFACE_TEMPLATE + 100) == pytest.approx(share, abs=0.02)


def test_a_picture_of_one_pixel_gives_a_plain_crop() -> None:
    crop = align_face(np.full((1, 1, 3), 77, np.uint8), ARCFACE_TEMPLATE)
    assert (crop == 77).all()


def test_coinciding_or_missing_landmarks_are_an_error() -> None:
    with pytest.raises(ValueError, match="coincide"):
        align_face(smooth_noise(50), np.full((5, 2), 9.0))
    with pytest.raises(ValueError, match="five landmarks"):
        align_face(smooth_noise(50), np.zeros((4, 2)))
