"""Makes new people: parents, blends, scenes, and the choice of those told apart best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.vision.reader import FaceVision
from training.foundation.arrays import ByteImage, FloatArray
from training.synthesis.blending import blend_faces, draw_shape, draw_together
from training.synthesis.encoding import encode_small
from training.synthesis.looks import PictureDescriber, centre_of, cosines, found_crop
from training.synthesis.matching import (
    Couple,
    likenesses,
    match_photos,
    most_alike,
    most_distinct,
    pair_up,
)
from training.synthesis.parents import Parent
from training.synthesis.scenes import hair_of, paint_scene

#: A parent's photo further than this from the person's others shows glasses, a hat or another.
_MIN_LIKE_ITSELF = 0.6
_MATCHES = 7
_ATTEMPTS = 24


@dataclass(frozen=True)
class PeopleOptions:
    """How many people and photos, and how they are made.

    Photos of a person with a cosine of ``copies_from`` are one photo twice and do not both count.
    ``shape_pixels`` is how far features move from the parents' mean; ``common_share`` how much of
    each photo is the mean of the person's photos. Of ``candidates`` people the most distinct
    remain. Parents are as like each other as ``alike`` says (cosine, mean of the teachers): of one
    sex, age and region by and large, and yet not one person under two names, nor close relatives.
    A face in a scene has at least ``min_face_pixels`` and a cosine of at least
    ``min_likeness`` to the blend it was made from, by each teacher.
    """

    people: int = 24
    photos: int = 4
    enrolled: int = 2
    copies_from: float = 0.97
    seed: int = 20261122
    candidates: int = 60
    alike: tuple[float, float] = (0.10, 0.42)
    shape_pixels: float = 3.0
    common_share: float = 0.5
    max_bytes: int = 25_000
    min_face_pixels: float = 110.0
    min_likeness: float = 0.75


@dataclass(frozen=True)
class NewPerson:
    """One who does not exist: blends ``(n, 128, 128, 3)``, encoded scenes, what teachers say.

    ``looks`` is ``(teachers, n, D)`` of the blends until there are scenes, then of the scenes.
    ``parent_likeness`` is the highest mean cosine to a parent's photos, by any teacher.
    """

    parents: tuple[str, str]
    blends: ByteImage
    scenes: tuple[bytes, ...]
    looks: FloatArray
    parent_likeness: float


def make_people(
    parents: Sequence[Parent],
    options: PeopleOptions,
    teachers: PictureDescriber,
    vision: FaceVision,
    progress: Callable[[str], None],
) -> list[NewPerson]:
    """Return ``options.people`` new people with their scenes, the most distinct there are.

    Raises ``ValueError`` where the parents do not suffice.
    """
    blended = list(_blended(parents, options, teachers, progress))
    _require_enough(blended, options)
    looks = [person.looks for person in blended]
    kept = most_distinct(looks, options.enrolled, options.candidates)
    progress(f"{len(blended)} people blended, scenes for {len(kept)}")
    painted = [_in_scenes(blended[place], place, options, teachers, vision) for place in kept]
    ready = [person for person in painted if person is not None]
    progress(f"{len(ready)} people whose every scene shows them well")
    _require_enough(ready, options)
    chosen = most_distinct([person.looks for person in ready], options.enrolled, options.people)
    for number, place in enumerate(chosen, start=1):
        progress(f"person {number}: {' and '.join(ready[place].parents)}")
    return [ready[place] for place in chosen]


def _require_enough(people: Sequence[NewPerson], options: PeopleOptions) -> None:
    if len(people) < options.people:
        raise ValueError(f"only {len(people)} of {options.people} people: give more parents")


def margins(people: Sequence[NewPerson], enrolled: int) -> tuple[FloatArray, FloatArray]:
    """Return per teacher the least genuine and the highest impostor cosine."""
    own, others = likenesses([person.looks for person in people], enrolled)
    return own.min(axis=1), others.max(axis=(1, 2))


def _blended(
    parents: Sequence[Parent],
    options: PeopleOptions,
    teachers: PictureDescriber,
    progress: Callable[[str], None],
) -> Iterator[NewPerson]:
    usable, looks = [], []
    for parent in parents:
        look = teachers.look(parent.crops)
        rows = np.flatnonzero(cosines(centre_of(look), look).mean(axis=(0, 1)) > _MIN_LIKE_ITSELF)
        if len(rows) >= options.photos:
            usable.append(parent.select(rows))
            looks.append(look[:, rows])
    centres = np.concatenate([centre_of(look) for look in looks], axis=1)
    pairs = pair_up(usable, centres, options.alike)
    progress(f"{len(usable)} parents that look like themselves, {len(pairs)} couples")
    for number, (one, other) in enumerate(pairs):
        couple = match_photos(usable[one], usable[other], _MATCHES)
        blends = _photos_of(couple, options, np.random.default_rng([options.seed, 1, number]))
        look = teachers.look(blends)
        chosen = most_alike(look, options.photos, options.copies_from)
        if chosen is None:
            continue
        rows = np.array(chosen)
        likeness = [
            cosines(look[:, rows], looks[parent]).mean(axis=(1, 2)) for parent in (one, other)
        ]
        yield NewPerson(
            parents=(usable[one].identity, usable[other].identity),
            blends=blends[rows],
            scenes=(),
            looks=look[:, rows],
            parent_likeness=float(np.max(likeness)),
        )


def _photos_of(couple: Couple, options: PeopleOptions, rng: np.random.Generator) -> ByteImage:
    shape = draw_shape(rng, options.shape_pixels)
    first, second = couple.first, couple.second
    blends = [
        blend_faces(
            [first.crops[row], second.crops[row]],
            [first.landmarks[row], second.landmarks[row]],
            shape,
        )
        for row in range(len(first.files))
    ]
    return np.stack(draw_together(blends, options.common_share))


def _in_scenes(
    person: NewPerson,
    number: int,
    options: PeopleOptions,
    teachers: PictureDescriber,
    vision: FaceVision,
) -> NewPerson | None:
    """Return the person with a scene a photo; ``None`` where one photo cannot be shown well."""
    rng = np.random.default_rng([options.seed, 2, number])
    hair = hair_of(person.blends)
    scenes, looks = [], []
    for row, blend in enumerate(person.blends):
        shown = _scene(blend, person.looks[:, row : row + 1], hair, rng, options, teachers, vision)
        if shown is None:
            return None
        scenes.append(shown[0])
        looks.append(shown[1])
    return NewPerson(
        parents=person.parents,
        blends=person.blends,
        scenes=tuple(scenes),
        looks=np.concatenate(looks, axis=1),
        parent_likeness=person.parent_likeness,
    )


def _scene(
    blend: ByteImage,
    look: FloatArray,
    hair: FloatArray,
    rng: np.random.Generator,
    options: PeopleOptions,
    teachers: PictureDescriber,
    vision: FaceVision,
) -> tuple[bytes, FloatArray] | None:
    """Return an encoded scene, and the look of the face that the service finds in it."""
    for _ in range(_ATTEMPTS):
        encoded = encode_small(paint_scene(blend, hair, rng), options.max_bytes)
        if encoded is None:
            continue
        crop = found_crop(vision.decode(encoded), vision, options.min_face_pixels)
        if crop is None:
            continue
        found = teachers.look(crop[None])
        if cosines(found, look).min() >= options.min_likeness:
            return encoded, found
    return None
