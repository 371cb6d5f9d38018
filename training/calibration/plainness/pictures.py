"""Crops of plain and of odd pictures, made of people of FairFace, to fit and to try a network on.

A plain picture has what honest ones have: another light, little sharpness, compression, glasses,
something beside the face. An odd one has all that too, and one rendering.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from app.domain.alignment import ARCFACE_TEMPLATE, FACE_CROP_SIZE, similarity_transform
from app.domain.faces import ENROLLMENT_LIMITS, Picture
from app.vision.alignment import warp
from app.vision.quality import crop_luma, measure_tones, sharpness
from training.calibration.plainness.altering import ALTERATIONS
from training.calibration.plainness.covering import COVERS
from training.calibration.plainness.shapes import (
    EYE_COLUMNS,
    EYES,
    any_fill,
    blob,
    colour,
    polygon,
    smooth_field,
    strokes,
)
from training.data.crops import CROP_MARGIN, CROP_SIZE, decode_crop, encoded_members
from training.data.odd_pictures.portrait import Portrait, Rendering, as_picture
from training.foundation.arrays import BoolArray, ByteImage, IntArray
from training.foundation.errors import CheckpointError
from training.foundation.files import write_text

PLAIN = "plain"
#: Renderings by family: figures of unseen ones come from leaving a family out.
FAMILIES: Mapping[str, Mapping[str, Rendering]] = {**COVERS, **ALTERATIONS}
#: Left out together for figures of the unseen: what is alike, so that none stands in for another.
FAMILY_GROUPS: tuple[tuple[str, ...], ...] = (
    tuple(COVERS),
    ("other colours", "drawings"),
    ("movement and focus", "noise and screens", "bent"),
    ("halves mirrored",),
)
#: Pixels of the picture that is rendered per pixel of the crop.
_SCALES = (0.9, 1.2, 1.5)
_RAGGED = np.ones((5, 5), np.uint8)


@dataclass(frozen=True)
class RenderedCrops:
    """Crops as the service would cut them: ``images`` uint8 ``(N, 3, 112, 112)``.

    ``family`` ``(N,)``: the position of each in ``families``, 0 for plain ones.
    """

    images: ByteImage
    family: IntArray
    families: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.family)


def usable(images: ByteImage) -> BoolArray:
    """Return which crops ``(N,)`` are sharp, light and free of noise enough to be enrolled.

    The others are refused before anything asks how plain they are.
    """
    found = np.zeros(len(images), np.bool_)
    limits = ENROLLMENT_LIMITS
    for row, image in enumerate(images):
        luma = crop_luma(image)
        tones = measure_tones(luma)
        found[row] = (
            tones.clipped_shadows <= limits.max_clipped_shadows
            and tones.clipped_highlights <= limits.max_clipped_highlights
            and tones.contrast_to_noise >= limits.min_contrast_to_noise
            and sharpness(luma, tones.contrast) >= limits.min_sharpness
        )
    return found


def people_of(path: Path, rows: slice) -> list[ByteImage]:
    """Return stored crops ``(128, 128, 3)`` of an archive; exact zeros lie outside the photo."""
    found = []
    for _, encoded in list(encoded_members(path))[rows]:
        image = np.empty((3, CROP_SIZE, CROP_SIZE), np.uint8)
        if decode_crop(encoded, True, image):
            found.append(np.ascontiguousarray(image.transpose(1, 2, 0)))
    return found


def render_crops(
    people: Sequence[ByteImage],
    count: int,
    place: Path,
    of_what: str,
    *,
    seed: int,
    rows_per_stamp: int = 1000,
    tell: Callable[[str], object] = print,
) -> RenderedCrops:
    """Return ``count`` crops, two of each person: one plain and one odd, of each family as many.

    They lie in the file ``place``, where an interrupted call goes on from the last
    ``rows_per_stamp``. ``of_what`` says what they
    are made of. Raises ``CheckpointError`` where the file is of something else, and ``ValueError``
    for more crops than two of each person.
    """
    if count > 2 * len(people):
        raise ValueError(f"{count} crops need more than {len(people)} people")
    names = (PLAIN, *FAMILIES)
    shape = (count, 3, FACE_CROP_SIZE, FACE_CROP_SIZE)
    stamp, progress = f"{of_what}, seed {seed}: {names}", place.with_suffix(".json")
    first = _rows_done(progress, stamp)
    mode: Literal["r+", "w+"] = "r+" if first else "w+"
    images = np.lib.format.open_memmap(place, mode, np.uint8, shape)
    for row in range(first, count):
        images[row] = _rendered(people, row, seed).transpose(2, 0, 1)
        if (row + 1) % rows_per_stamp == 0 or row + 1 == count:
            images.flush()
            write_text(progress, json.dumps({"of": stamp, "rows": row + 1}))
            tell(f"rendered {row + 1:,} of {count:,} crops of {of_what}")
    rows = np.arange(count)
    family = np.where(rows % 2 == 1, 1 + rows // 2 % len(FAMILIES), 0)
    return RenderedCrops(images, family, names)


def _rows_done(progress: Path, stamp: str) -> int:
    if not progress.exists():
        return 0
    done = json.loads(progress.read_text())
    if done["of"] != stamp:
        raise CheckpointError(f"{progress} is of other crops ({done['of']}): move it away")
    return int(done["rows"])


def _rendered(people: Sequence[ByteImage], row: int, seed: int) -> Picture:
    """Return the crop of a row: of person ``row // 2``, plain where it is even."""
    random = np.random.default_rng([seed, row])
    donor = people[int(random.integers(len(people)))]
    portrait = _portrait(_filled(people[row // 2], donor, random), random)
    picture = _as_honest(portrait, random)
    if row % 2:
        ways = list(list(FAMILIES.values())[row // 2 % len(FAMILIES)].values())
        render = ways[int(random.integers(len(ways)))]
        picture = render(Portrait(picture, portrait.landmarks), random)
    return _as_seen(picture, portrait, random)


def _filled(crop: ByteImage, donor: ByteImage, random: np.random.Generator) -> Picture:
    """Return a stored crop with something where its photograph ends."""
    outside = _outside(crop)
    if not outside.any():
        return crop
    outside = cv2.dilate(outside.astype(np.uint8), _RAGGED) > 0  # compression frays the edge
    kind = random.random()
    if kind < 0.5:  # as the service does where a picture ends
        marks = outside.astype(np.uint8)
        _, labels = cv2.distanceTransformWithLabels(
            marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        colours = np.zeros((int(labels.max()) + 1, 3), np.uint8)
        colours[labels[~outside]] = crop[~outside]
        filled = colours[labels]
    elif kind < 0.65:
        filled = np.broadcast_to(colour(random), crop.shape)
    elif kind < 0.8:
        field = smooth_field(crop.shape, int(random.integers(3, 20)), random)
        filled = colour(random) + random.uniform(10, 60) * field[..., None]
    else:
        filled = np.where(_outside(donor)[..., None], colour(random), donor)
    if random.random() < 0.5:
        filled = cv2.GaussianBlur(
            np.where(outside[..., None], filled, crop).astype(np.float32),
            (0, 0),
            random.uniform(0.5, 6),
        )
    return as_picture(np.where(outside[..., None], filled, crop))


def _outside(crop: ByteImage) -> BoolArray:
    return np.asarray((crop[..., 0] | crop[..., 1] | crop[..., 2]) == 0)


def _portrait(crop: Picture, random: np.random.Generator) -> Portrait:
    """Return the crop as a picture of another size, perhaps mirrored, with its landmarks."""
    scale = float(random.choice(_SCALES)) * random.uniform(0.95, 1.05)
    side = round(crop.shape[0] * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(crop, (side, side), interpolation=how)
    scale = side / crop.shape[0]
    landmarks = (ARCFACE_TEMPLATE + CROP_MARGIN + 0.5) * scale - 0.5
    if random.random() < 0.5:
        picture = picture[:, ::-1]
        landmarks = landmarks[[1, 0, 2, 4, 3]] * [-1, 1] + [side - 1, 0]
    return Portrait(as_picture(picture), landmarks)


def _as_honest(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the picture with what honest ones have: light, shade, frames of glasses, a caption."""
    picture = portrait.picture
    if random.random() < 0.6:
        tones = 255 * np.linspace(0, 1, 256) ** math.exp(random.normal(0, 0.3))
        tones = (tones - 128) * random.uniform(0.7, 1.25) + 128 + random.normal(0, 14)
        picture = as_picture(cv2.LUT(picture, as_picture(np.outer(tones, _cast(random)))[None]))
    if random.random() < 0.25:  # light from one side
        field = smooth_field(picture.shape, int(random.choice([2, 3])), random)
        light = np.clip(1 + random.uniform(0.05, 0.25) * field, 0.35, 1.5)
        picture = as_picture(picture * light[..., None])
    if random.random() < 0.1:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        tint = _cast(random) if random.random() < 0.5 else np.ones(3, np.float32)
        picture = as_picture(grey[..., None] * tint)
    if random.random() < 0.08:
        picture = _with_glasses(Portrait(picture, portrait.landmarks), random)
    if random.random() < 0.08:  # beside the face
        side = random.choice([-1.0, 1.0])
        centre = (56 + side * random.uniform(58, 70), random.uniform(0, 112))
        beside = polygon(portrait, blob(random, centre, (8, 18)))[..., None]
        picture = as_picture(picture * (1 - beside) + any_fill(picture, random) * beside)
    return picture


def _cast(random: np.random.Generator) -> npt.NDArray[np.float32]:
    return (1 + random.normal(0, 0.07, 3)).astype(np.float32)


def _with_glasses(portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return a face behind clear glasses with thin frames."""
    shape = blob(random, (0.0, 0.0), (random.uniform(11, 17), random.uniform(8, 13)))
    row = EYES + random.normal(2, 1.5)
    rims = []
    for side, column in zip((-1, 1), EYE_COLUMNS, strict=True):
        rim = shape * (side, 1.0) + (column, row)
        rims.append(np.concatenate([rim, rim[:1]]))
    bands = [[(50, row - 2), (62, row - 2)], [(24, row - 3), (4, row)], [(88, row - 3), (108, row)]]
    frame = strokes(portrait, [*rims, *bands], random.uniform(0.8, 2.2))[..., None]
    frame = frame * random.uniform(0.6, 1.0)
    lens = np.maximum(*(polygon(portrait, rim) for rim in rims))[..., None]
    picture = portrait.picture * (1 - random.uniform(0, 0.12) * lens) + random.uniform(0, 14) * lens
    return as_picture(picture * (1 - frame) + colour(random) * frame)


def _as_seen(picture: Picture, portrait: Portrait, random: np.random.Generator) -> Picture:
    """Return the crop ``(112, 112, 3)`` that an erring detector cuts of a camera's photo."""
    if random.random() < 0.3:
        picture = as_picture(
            cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.3) * portrait.pixel)
        )
    if random.random() < 0.3:  # a face of few pixels
        side = round(picture.shape[0] * random.uniform(0.42, 0.9) / portrait.pixel)
        picture = as_picture(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))
    if random.random() < 0.3:
        noise = random.standard_normal(picture.shape, np.float32)
        picture = as_picture(picture + random.uniform(1, 6) * noise)
    if random.random() < 0.6:
        quality = int(random.integers(30, 97))
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        picture = picture if decoded is None else as_picture(decoded)
    shrunk = picture.shape[0] / portrait.picture.shape[0]
    landmarks = (portrait.landmarks + 0.5) * shrunk - 0.5
    points = ARCFACE_TEMPLATE + random.normal(0, 1.1, (5, 2)) + random.normal(0, 1.2, 2)
    points = (points - 56) * random.uniform(0.95, 1.07) + 56
    if random.random() < 0.2:
        points = points + random.normal(0, 2.5, 2)
    crop = warp(picture, similarity_transform(landmarks, points), FACE_CROP_SIZE)
    if random.random() < 0.12:  # the picture ends here
        crop = crop.copy()
        end = int(random.integers(2, 20))
        if random.random() < 0.5:
            crop[-end:] = crop[-end - 1] if random.random() < 0.5 else 0
        else:
            crop[:, :end] = crop[:, end : end + 1] if random.random() < 0.5 else 0
    return np.ascontiguousarray(crop)
