"""Faces of known groups, measured as the service measures them: crops, and whole photos.

Of a FairFace crop about a third is black because the picture ends there. That is no shadow: black
that connects to the border counts for nothing.
"""

from __future__ import annotations

import dataclasses
import json
import math
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from app.domain.embeddings import as_embedding
from app.domain.faces import Detection, FaceQuality
from app.domain.recognisability import Recognisability
from app.vision.detector import FaceDetector
from app.vision.plainness import PlainnessNetwork
from app.vision.quality import crop_luma, measure_tones, pose_degrees, proportion, sharpness
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.crops import CROP_MARGIN, CROP_SIZE, as_cut, decode_crop, encoded_members
from training.data.populations import Pool, nearest_pools, read_groups
from training.foundation.arrays import ByteImage, IntArray, Matrix
from training.studies.quality_limits.pose import CropDetector
from training.studies.quality_limits.refusals import GroupedFaces

#: Says how recognisable, or how plain, a ready crop ``(3, 112, 112)`` is.
Measure = Callable[[ByteImage], float]
#: So many crops of each group are shown to the detector and the embedder, the slow part.
POSED_PER_GROUP = 1000
#: So many strangers of each group say what people of it look like to the embedder.
RESEMBLED = 200
#: What lies next to the end of the picture is no edge of the face.
_BESIDE_THE_END = np.ones((7, 7), np.uint8)
_CENTRE = slice(CROP_MARGIN, CROP_SIZE - CROP_MARGIN)


class FaceEmbedder(Protocol):
    """Gives unit embeddings of ready crops."""

    def embed_faces(self, faces: ByteImage) -> Matrix:
        """Return unit embeddings ``(N, D)`` of RGB crops, uint8 ``(N, 3, 112, 112)``."""
        ...


@dataclass(frozen=True)
class WholePhoto:
    """A photo as it was sent, and who is on it."""

    person: str
    content: bytes


def measure_grouped_crops(
    source: str,
    paths: Sequence[Path],
    attributes: Path,
    *,
    mark_black: bool,
    posed_per_group: int = POSED_PER_GROUP,
    recognise: Measure | None = None,
    plain: Measure | None = None,
) -> GroupedFaces:
    """Return the faces of the crops whose group ``attributes`` tells, a CSV of ``file, group``.

    Their sizes are unknown; poses, and how recognisable they are where ``recognise`` tells, are
    those of the first of each group; how plain they are, where ``plain`` tells, is of all. Crops
    are read one by one. Raises ``DataError`` where a column is missing.
    """
    group_of, detector = read_groups(attributes), CropDetector()
    posed: Counter[str] = Counter()
    groups, qualities = [], []
    for file, encoded in (one for path in paths for one in encoded_members(path)):
        group, _ = group_of.get(file.rsplit("/", 1)[-1], ("", ""))
        image = np.empty((3, CROP_SIZE, CROP_SIZE), np.uint8)
        if not group or not decode_crop(encoded, mark_black, image):
            continue
        quality = measure_stored_crop(image, None)
        if posed[group] < posed_per_group:
            quality = measure_stored_crop(image, detector.find(image))
            if recognise is not None:
                quality = dataclasses.replace(quality, recognisability=recognise(as_cut(image)))
        if plain is not None:
            quality = dataclasses.replace(quality, plainness=plain(as_cut(image)))
        posed[group] += 1
        groups.append(group)
        qualities.append(quality)
    return GroupedFaces(source, tuple(groups), tuple(qualities))


def measure_stored_crop(image: ByteImage, found: Detection | None) -> FaceQuality:
    """Return the quality of a stored crop ``(3, 128, 128)``; what is black lies outside the photo.

    ``found``: the face in it, for its pose; NaN without.
    """
    face = np.ascontiguousarray(image[:, _CENTRE, _CENTRE])
    inside = cv2.erode(np.asarray(face.max(axis=0) > 0, np.uint8), _BESIDE_THE_END) > 0
    luma = crop_luma(face)
    tones = measure_tones(luma, inside)
    yaw, pitch, roll = pose_degrees(found.landmarks) if found else (math.nan,) * 3
    return FaceQuality(
        size_pixels=math.nan,
        sharpness=sharpness(luma, tones.contrast, inside) if inside.any() else math.nan,
        brightness=tones.brightness,
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
        detector_score=found.score if found else math.nan,
        clipped_shadows=tones.clipped_shadows,
        clipped_highlights=tones.clipped_highlights,
        contrast_to_noise=tones.contrast_to_noise,
        proportion=proportion(found) if found else None,
    )


def measure_whole_photos(
    photos: Iterable[WholePhoto],
    embedder: FaceEmbedder,
    strangers: Matrix,
    pools: Sequence[Pool],
    centres: Recognisability | None = None,
    plainness: PlainnessNetwork | None = None,
) -> GroupedFaces:
    """Return the largest face of each photo, in the group whose strangers its person resembles.

    No group is given there, so that the embedder itself decides, by the mean of a person's
    photos. Photos without a face are left out. ``centres`` say how recognisable each is, and
    ``plainness`` how plain.
    """
    vision = FaceVision(FaceDetector(read_detector_weights()), plainness=plainness)
    qualities, people, rows = [], [], []
    for photo in photos:
        picture = vision.decode(photo.content)
        detections = vision.detect(picture)
        if detections:
            crop = vision.crop(picture, detections[0])
            (embedding,) = embedder.embed_faces(crop.pixels[None])
            seen = None if centres is None else centres.of(as_embedding(embedding))
            qualities.append(dataclasses.replace(crop.quality, recognisability=seen))
            people.append(photo.person)
            rows.append(embedding)
    names, number = np.unique(people, return_inverse=True)
    nearest = nearest_pools(np.stack(rows), number.astype(np.int64), strangers, pools)
    groups = tuple(nearest[int(one)].name for one in number)
    return GroupedFaces(f"whole photos of {len(names):,} people", groups, tuple(qualities))


def chosen_of_pools(pools: Sequence[Pool], max_people: int) -> tuple[IntArray, list[Pool]]:
    """Return the rows of the first ``max_people`` of each pool, and the pools in terms of these."""
    chosen = [pool.rows[:max_people] for pool in pools]
    starts = np.cumsum([0, *map(len, chosen)])
    return np.concatenate(chosen), [
        Pool(pool.name, np.arange(start, start + len(rows)))
        for pool, start, rows in zip(pools, starts[:-1].tolist(), chosen, strict=True)
    ]


def read_whole_photos(data: Path) -> Iterator[WholePhoto]:
    """Yield the whole photos of known people below ``data``: LFW's and those with labels."""
    for name, content in _members(data / "lfw-photos.tar"):
        yield WholePhoto(f"lfw {name.split('/')[0]}", content)
    labelled = dict(_members(data / "photos.tar"))
    for line in labelled["labels.jsonl"].decode().splitlines():
        label = json.loads(line)
        yield WholePhoto(str(label["identity"]), labelled[str(label["file"])])


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content.read()
