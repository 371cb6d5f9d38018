"""Every odd picture is what its name says, the same each time, and another one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.domain.alignment import ARCFACE_TEMPLATE
from app.domain.faces import Picture
from training.data.odd_pictures.kinds import KINDS, Kind, chosen_kinds
from training.data.odd_pictures.portrait import Portrait
from training.foundation.errors import DataError

SCALE, LEFT, TOP = 1.5, 40.0, 30.0
RENDERINGS = [kind for kind in KINDS if kind.render is not None]
THINGS = [kind for kind in KINDS if kind.draw is not None]


def named(name: str) -> Kind:
    (kind,) = (kind for kind in KINDS if kind.name == name)
    return kind


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    """Smooth noise in colour with a face's landmarks, 250 px high and 240 wide."""
    noise = np.random.default_rng(1).integers(30, 220, (12, 12, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (240, 250), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    return Portrait(picture, ARCFACE_TEMPLATE * SCALE + (LEFT, TOP))


def rows_of(first: float, last: float) -> slice:
    """Return the rows between two heights of the aligned crop."""
    return slice(round(TOP + SCALE * first), round(TOP + SCALE * last))


@pytest.mark.parametrize("kind", RENDERINGS, ids=lambda kind: kind.name)
def test_a_rendering_is_another_picture_and_always_the_same(kind: Kind, portrait: Portrait) -> None:
    before = portrait.picture.copy()
    first, again = (kind.picture_of(portrait, "somebody") for _ in range(2))
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert first.shape[2] == 3
    assert min(first.shape[:2]) >= 64
    assert np.array_equal(first, again)
    assert np.array_equal(portrait.picture, before)
    if first.shape == before.shape:
        assert np.abs(first.astype(int) - before).mean() > 1


@pytest.mark.parametrize("kind", THINGS, ids=lambda kind: kind.name)
def test_things_are_drawn_anew_for_each_number(kind: Kind) -> None:
    first, again, other = kind.thing(1), kind.thing(1), kind.thing(2)
    assert first.dtype == np.uint8
    assert first.shape == other.shape == (256, 256, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_there_are_thirty_renderings_and_each_kind_has_a_name_of_its_own() -> None:
    assert len(RENDERINGS) >= 30
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_kinds_are_chosen_by_parts_of_their_names() -> None:
    assert chosen_kinds(None) == KINDS
    assert {kind.name for kind in chosen_kinds("turned, mask")} == {
        *("turned by 90", "turned by 180", "turned by 270", "mask", "real masks")
    }
    with pytest.raises(DataError, match="telescope"):
        chosen_kinds("turned,telescope")
    with pytest.raises(DataError):
        chosen_kinds(" , ")


def test_a_portrait_knows_where_the_crop_lies(portrait: Portrait) -> None:
    assert portrait.pixel == pytest.approx(SCALE)
    assert portrait.place([(0, 0), (112, 56)]) == pytest.approx(
        np.array([(LEFT, TOP), (LEFT + 168, TOP + 84)]), abs=1e-6
    )


def test_quarter_turns_are_clockwise(portrait: Portrait) -> None:
    turned = named("turned by 90").picture_of(portrait, "a")
    assert np.array_equal(turned[0, -1], portrait.picture[0, 0])
    assert np.array_equal(turned[-1, -1], portrait.picture[0, -1])
    over = named("turned by 180").picture_of(portrait, "a")
    assert np.array_equal(over[::-1, ::-1], portrait.picture)
    flipped = named("mirrored upside down").picture_of(portrait, "a")
    assert np.array_equal(flipped[::-1], portrait.picture)


def bright_eye(portrait: Portrait, which: int) -> Portrait:
    """Return a black picture with a white disc on one eye."""
    picture = np.zeros_like(portrait.picture)
    x, y = portrait.landmarks[which].round().astype(int).tolist()
    cv2.circle(picture, (x, y), 6, (255, 255, 255), -1)
    return Portrait(picture, portrait.landmarks)


def found_at(picture: Picture) -> np.ndarray:
    rows, columns = np.nonzero(picture[..., 0] > 128)
    return np.array([columns.mean(), rows.mean()])


@pytest.mark.parametrize("degrees", [15, 30, 45, 60, 75])
def test_a_tilt_turns_the_line_of_the_eyes_by_so_much(degrees: int, portrait: Portrait) -> None:
    kind = named(f"tilted by {degrees}")
    left, right = (
        found_at(kind.picture_of(bright_eye(portrait, eye), "somebody")) for eye in (0, 1)
    )
    across, down = right - left
    assert abs(np.degrees(np.arctan2(down, across))) == pytest.approx(degrees, abs=2)
    sides = {
        found_at(kind.picture_of(bright_eye(portrait, 0), name))[0] > portrait.centre[0] - 20
        for name in "abcdefgh"
    }
    assert len(sides) >= (1 if degrees < 60 else 2)  # to either side, by whose picture it is


def test_half_the_size_halves_distances(portrait: Portrait) -> None:
    kind = named("half the size")
    left, right = (found_at(kind.picture_of(bright_eye(portrait, eye), "a")) for eye in (0, 1))
    eyes = np.linalg.norm(portrait.landmarks[1] - portrait.landmarks[0])
    assert np.linalg.norm(right - left) == pytest.approx(eyes / 2, abs=1)


def test_the_frame_cuts_where_it_says(portrait: Portrait) -> None:
    nose, mouth = portrait.landmarks[2, 1], portrait.landmarks[3, 1]
    below = named("cut under the nose").picture_of(portrait, "a")
    assert nose < len(below) < mouth
    above = named("cut at the eyes").picture_of(portrait, "a")
    assert len(portrait.picture) - len(above) == pytest.approx(portrait.landmarks[0, 1], abs=1)
    side = named("half out of the frame").picture_of(portrait, "a")
    assert side.shape[1] < 0.7 * portrait.picture.shape[1]
    wide, high = (named(f"twice as {way}").picture_of(portrait, "a") for way in ("wide", "high"))
    assert (wide.shape[:2], high.shape[:2]) == ((250, 480), (500, 240))


def test_half_mirrored_is_symmetrical_around_the_face(portrait: Portrait) -> None:
    mirrored = named("half mirrored").picture_of(portrait, "a")
    across = [round(float(portrait.centre[0])), 239 - round(float(portrait.centre[0]))]
    middle = min(
        across,
        key=lambda m: int(
            np.abs(mirrored[:, m - 40 : m].astype(int) - mirrored[:, m : m + 40][:, ::-1]).sum()
        ),
    )
    assert np.array_equal(
        mirrored[:, middle - 40 : middle], mirrored[:, middle : middle + 40][:, ::-1]
    )


def test_tones_are_what_they_say(portrait: Portrait) -> None:
    assert np.array_equal(named("negative").picture_of(portrait, "a"), 255 - portrait.picture)
    assert set(np.unique(named("two grey levels").picture_of(portrait, "a"))) == {0, 255}
    assert len(np.unique(named("posterised").picture_of(portrait, "a"))) <= 4
    assert named("darkened").picture_of(portrait, "a").mean() < 0.25 * portrait.picture.mean()
    bright = named("overexposed").picture_of(portrait, "a")
    assert (bright == 255).mean() > 0.3
    assert set(np.unique(named("halftone print").picture_of(portrait, "a"))) == {0, 255}


@pytest.mark.parametrize("pixels", [16, 10, 6])
def test_a_mosaic_has_so_many_squares_across_the_crop(pixels: int, portrait: Portrait) -> None:
    mosaic = named(f"mosaic of {pixels} px").picture_of(portrait, "a")
    edges = np.flatnonzero(np.abs(np.diff(mosaic.astype(int), axis=1)).sum(axis=(0, 2)))
    assert np.diff(edges).mean() == pytest.approx(112 * SCALE / pixels, rel=0.1)


@pytest.mark.parametrize(
    ("name", "covered", "free"),
    [
        ("mask", (75, 105), (45, 56)),
        ("sunglasses", (47, 56), (86, 98)),
        ("bar over the eyes", (45, 58), (70, 98)),
        ("scarf", (75, 105), (45, 56)),
    ],
)
def test_covers_lie_over_what_they_cover(
    name: str, covered: tuple[int, int], free: tuple[int, int], portrait: Portrait
) -> None:
    changed = (
        np.abs(named(name).picture_of(portrait, "a").astype(int) - portrait.picture).sum(axis=2) > 0
    )
    columns = slice(round(LEFT + SCALE * 36), round(LEFT + SCALE * 48))
    assert changed[rows_of(*covered), columns].mean() > 0.9
    assert changed[rows_of(*free), columns].mean() < 0.1


def test_a_thing_is_no_portrait(portrait: Portrait) -> None:
    with pytest.raises(ValueError, match="cars"):
        named("cars").picture_of(portrait, "a")
    with pytest.raises(ValueError, match="negative"):
        named("negative").thing(1)
