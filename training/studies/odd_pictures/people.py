"""Who is tried: people of the worst group, and people with several photos; nobody has two parts."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.vision.reader import FaceVision
from training.data.images import ImageItem
from training.data.invented_people import invented_people
from training.data.odd_pictures.portrait import Portrait, on_canvas
from training.data.readers.shards import read_shards
from training.foundation.arrays import FloatArray
from training.foundation.errors import DataError
from training.studies.odd_pictures.served import as_photo

#: The side of the small pictures by which the same picture is told, and from which correlation on.
_THUMBNAIL, _SAME_PICTURE = 24, 0.85
LFW = "LFW"
INVENTED = "invented"


@dataclass(frozen=True)
class Person:
    """One person by one upright picture. ``photo`` are the bytes that were saved of it."""

    name: str
    photo: bytes
    portrait: Portrait


@dataclass(frozen=True)
class Cast:
    """Everybody in the trial, each in one part only.

    ``odd``: by the name of their group, that odd pictures are made of. ``staff`` and ``visitors``
    (photos) are of the worst group: enrolled, and strangers at the door. ``employees``: two photos
    of each, one to enroll and one for the door. ``masked``: photos of people in masks, whose plain
    pictures nobody has. ``sources``: where they come from, in words.
    """

    odd: dict[str, list[Person]]
    staff: list[bytes]
    visitors: list[bytes]
    employees: list[tuple[bytes, bytes]]
    masked: list[bytes]
    sources: str

    @property
    def worst(self) -> str:
        """The name of the worst group, the first of those that odd pictures are made of."""
        return next(iter(self.odd))


def cast_from_data(data: Path, worst: str, people: int, staff: int, vision: FaceVision) -> Cast:
    """Return the trial's people from ``strangers.tar`` of the group ``worst``, and LFW photos.

    Two thirds of the ``people`` of odd pictures are of the group, and a third are people with
    one photo in ``lfw-photos.tar``; those with two are employees. Neither file is of
    people that weights, calibration's genuine pairs or centres of recognisability know. Who plays
    which part follows from the hash of the file's name. People in real masks are from
    ``masks.tar``, which weights may know. Raises ``DataError`` where there are too few of them.
    """
    group = _in_order(_of_group(data, worst))
    from_group = people - people // 3
    visitors = max(1, staff * 2 // 3)
    wanted = from_group + staff + visitors
    if len(group) < wanted:
        raise DataError(f"{wanted} people of {worst} are needed, {len(group)} are at hand")
    odd, plain, strangers = _parts(group, from_group, staff, visitors)
    photos_of = _by_label(read_shards(data / "lfw-photos.tar").items)
    single = [items[0] for items in photos_of.values() if len(items) == 1]
    return Cast(
        odd={
            worst: [_on_canvas(item.key, _content(item), vision) for item in odd],
            LFW: _portraits(_in_order(single), people // 3, vision),
        },
        staff=[_on_canvas(item.key, _content(item), vision).photo for item in plain],
        visitors=[_on_canvas(item.key, _content(item), vision).photo for item in strangers],
        employees=[
            (_content(items[0]), _content(items[1]))
            for items in photos_of.values()
            if len(items) > 1
        ][:staff],
        masked=_masked(data, people, vision),
        sources=f"strangers.tar ({worst}) and lfw-photos.tar, by the hash of their files' names",
    )


def cast_of_invented(people: int, vision: FaceVision) -> Cast:
    """Return a small cast of the people who do not exist, for a quick look without data."""
    invented = invented_people()
    half = len(invented) // 2
    portraits = [
        _portrait(person.name, person.photos[0].read_bytes(), vision) for person in invented[:half]
    ]
    odd = [person for person in portraits if person is not None][:people]
    rest = invented[half:]
    photos = [[photo.read_bytes() for photo in person.photos] for person in rest]
    return Cast(
        odd={INVENTED: odd},
        staff=[each[0] for each in photos[::2]],
        visitors=[each[0] for each in photos[1::2]],
        employees=[(each[0], each[1]) for each in photos[::2]],
        masked=[],
        sources="people who do not exist; their rates mean nothing",
    )


def _masked(data: Path, count: int, vision: FaceVision) -> list[bytes]:
    """Return ``count`` photos of people in masks, without those that are in the file twice.

    Who they are is not known: the same picture, or its mirror image, is told by its pixels.
    """
    taken: list[bytes] = []
    seen: list[FloatArray] = []
    for item in _in_order(read_shards(data / "masks.tar", labelled=False).items):
        crop = vision.decode(_content(item))
        small = cv2.resize(crop, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
        looks = [_standardised(look) for look in (small, small[:, ::-1])]
        if any(float(look @ one) > _SAME_PICTURE for look in looks for one in seen):
            continue
        seen.append(looks[0])
        taken.append(as_photo(on_canvas(crop).picture))
        if len(taken) == count:
            break
    return taken


def _standardised(picture: npt.NDArray[np.generic]) -> FloatArray:
    values = np.asarray(picture, dtype=np.float64).ravel()
    values = values - values.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), dtype=np.float64)


def _on_canvas(name: str, content: bytes, vision: FaceVision) -> Person:
    portrait = on_canvas(vision.decode(content))
    return Person(name, as_photo(portrait.picture), portrait)


def _portraits(items: Iterable[ImageItem], count: int, vision: FaceVision) -> list[Person]:
    """Return the first ``count`` people whose photo shows exactly one face."""
    found: list[Person] = []
    for item in items:
        if len(found) == count:
            break
        person = _portrait(item.key, _content(item), vision)
        if person is not None:
            found.append(person)
    return found


def _portrait(name: str, photo: bytes, vision: FaceVision) -> Person | None:
    picture = vision.decode(photo)
    faces = vision.detect(picture)
    if len(faces) != 1:
        return None
    return Person(name, photo, Portrait(picture, np.asarray(faces[0].landmarks, dtype=np.float64)))


def _of_group(data: Path, worst: str) -> list[ImageItem]:
    with (data / "strangers.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    named = {row["file"] for row in rows if f"{row['group']} {row['gender']}" == worst}
    shard = read_shards(data / "strangers.tar", labelled=False)
    return [item for item in shard.items if item.key in named]


def _by_label(items: Iterable[ImageItem]) -> dict[str, list[ImageItem]]:
    found: dict[str, list[ImageItem]] = {}
    for item in sorted(items, key=lambda item: item.key):
        found.setdefault(item.label or item.key, []).append(item)
    return found


def _in_order(items: Iterable[ImageItem]) -> list[ImageItem]:
    return sorted(items, key=lambda item: hashlib.sha256(item.key.encode()).hexdigest())


def _parts(items: list[ImageItem], *sizes: int) -> Iterator[list[ImageItem]]:
    start = 0
    for size in sizes:
        yield items[start : start + size]
        start += size


def _content(item: ImageItem) -> bytes:
    if item.content is None:
        raise DataError(f"{item.key} has no file of its own")
    return item.content()
