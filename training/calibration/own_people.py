"""An operator's own people and strangers: read, kept apart from those learned from, counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from app.domain.faces import Picture
from app.domain.support import pairs_of, rarest_supported
from training.data.crops import CROP_MARGIN, CROP_SIZE
from training.data.images import ImageItem, ImageSet
from training.data.populations import Pool
from training.data.readers.registry import KINDS, guess_kind, read_images
from training.data.transform import load_images
from training.engines.learned_from import LearnedFrom, learned_among, picture_marks
from training.foundation.arrays import ByteImage
from training.foundation.errors import DataError
from training.recipes.transform_recipe import TransformRecipe

FACE_SIZE = 112
#: A tail of false matches is fitted to the 50 highest of its pairs, and 11 people make 55.
MIN_STRANGERS = 11
#: By the rule of three three people say nothing at all.
MIN_PEOPLE = 4
_SHOWN = 5


@dataclass(frozen=True)
class OwnFaces:
    """The 112 px crops of some identities: ``faces`` uint8 ``(N, 3, 112, 112)``, whose, and keys.

    ``skipped`` are pictures that could not be used, with the reason.
    """

    faces: ByteImage
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def of(self, rows: Sequence[int]) -> OwnFaces:
        """Return some of the crops."""
        chosen = list(rows)
        return replace(
            self,
            faces=self.faces[chosen],
            labels=tuple(self.labels[row] for row in chosen),
            keys=tuple(self.keys[row] for row in chosen),
        )


@dataclass(frozen=True)
class OwnSources:
    """Where people and strangers lie, and how their pictures are to be taken.

    Each is a path or ``KIND:PATH``. ``align``: whole photos, whose faces are found and aligned;
    ``leave_out``: those whom a network learned from are left out instead of refused.
    """

    people: str
    strangers: str | None
    groups: Path | None
    align: bool
    leave_out: bool = False


@dataclass(frozen=True)
class OwnPopulation:
    """Whom a model is calibrated on, before anything is decoded.

    ``people`` have two photos or more each, ``strangers`` one each, all of different people.
    ``groups``: the group of a stranger by key, where a CSV gives one. ``align``: pictures are whole
    photos, whose faces the service's own vision finds and aligns.
    """

    people: ImageSet
    strangers: ImageSet
    groups: dict[str, str]
    align: bool

    def group_sizes(self) -> dict[str, int]:
        """Return how many strangers each group has, by name."""
        counts = Counter(
            self.groups[one.key] for one in self.strangers.items if one.key in self.groups
        )
        return dict(sorted(counts.items()))


def read_population(
    people: str, strangers: str | None, groups: Path | None, *, align: bool
) -> OwnPopulation:
    """Return whom ``people`` and ``strangers`` name: a path, or ``kind:path`` as ``lfw:lfw.tar``.

    Without ``strangers`` they are those of ``people`` with a single photo, as most of LFW are. Of a
    stranger with several photos the first is taken. Raises ``DataError`` where there are too few,
    or where an identity is among both.
    """
    named = _labelled(_read(people))
    photos = Counter(item.label for item in named.items)
    several = tuple(item for item in named.items if photos[item.label] > 1)
    if strangers is None:
        others = replace(named, items=tuple(i for i in named.items if photos[i.label] == 1))
    else:
        others = _one_each(_read(strangers))
        both = sorted({i.label for i in several if i.label} & {i.label or "" for i in others.items})
        if both:
            raise DataError(f"among the people and among the strangers: {_shown(both)}")
    population = OwnPopulation(
        replace(named, items=several),
        others,
        {} if groups is None else _groups_of(groups, others.items),
        align,
    )
    _require_enough(len({i.label for i in several}), len(others))
    return population


def leave_out_learned(
    population: OwnPopulation,
    record: LearnedFrom,
    transform: TransformRecipe,
    *,
    leave_out: bool,
) -> tuple[OwnPopulation, tuple[str, ...]]:
    """Return the population without those that a run learned from, and who these were.

    Raises ``DataError`` where there are some and they are not to be left out: a network knows those
    it learned from better than anybody else, and a calibration on them promises too much.
    """
    seen: set[str] = set()
    for images in (population.people, population.strangers):
        labels = {item.key: item.label or item.key for item in images.items}
        fitted = load_images(images, transform)
        owners = [labels[key] for key in fitted.keys]
        seen |= learned_among(record, sorted(set(labels.values())), owners, fitted.images)
    if seen and not leave_out:
        raise DataError(
            f"{len(seen)} of the identities were learned from ({_shown(sorted(seen))}); calibrate "
            "on others, or leave these out with --leave-out-learned (a folder of another person by "
            "the same name must be renamed)"
        )
    kept_people, kept_strangers = (
        replace(images, items=tuple(i for i in images.items if (i.label or i.key) not in seen))
        for images in (population.people, population.strangers)
    )
    _require_enough(len({i.label for i in kept_people.items}), len(kept_strangers))
    return replace(population, people=kept_people, strangers=kept_strangers), tuple(sorted(seen))


def load_faces(images: ImageSet, *, align: bool) -> OwnFaces:
    """Return the crops of the pictures as the service would show them to a network.

    With ``align`` the largest face of a whole photo, found and aligned by the service's vision.
    Otherwise pictures are ready crops: 112 px as they are, 128 px without the margin of the
    training data's crops, any other size with its central square scaled to 112 px.
    """
    if not align:
        items = tuple(replace(i, read=partial(_ready_crop, i)) for i in images.items)
        images = replace(images, items=items)
    label_of = {item.key: item.label or item.key for item in images.items}
    fit = TransformRecipe(size=FACE_SIZE, fit="align" if align else "crop")
    loaded = load_images(images, fit)
    return OwnFaces(
        loaded.images.numpy(),
        tuple(label_of[key] for key in loaded.keys),
        loaded.keys,
        loaded.skipped,
    )


def with_two_photos(people: OwnFaces) -> OwnFaces:
    """Return the crops of people who still have two, for some pictures may be unreadable."""
    count = Counter(people.labels)
    return people.of([row for row, label in enumerate(people.labels) if count[label] > 1])


def refuse_copies(people: OwnFaces, strangers: OwnFaces) -> None:
    """Raise ``DataError`` where one picture is there twice, of two identities.

    Either is nobody's false match, and a threshold above it would be too high.
    """
    owners: dict[str, tuple[str, str]] = {}
    for part in (people, strangers):
        marks = picture_marks(torch.from_numpy(np.ascontiguousarray(part.faces)))
        for mark, label, key in zip(marks, part.labels, part.keys, strict=True):
            other, where = owners.setdefault(mark, (label, key))
            if other != label:
                raise DataError(f"{where} and {key} are one picture of {other} and of {label}")


def pools_of(strangers: OwnFaces, groups: dict[str, str]) -> tuple[list[Pool], tuple[str, ...]]:
    """Return the groups with enough strangers for a tail of their own, and the names of others."""
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(strangers.keys):
        if key in groups:
            rows.setdefault(groups[key], []).append(row)
    large = {name: found for name, found in sorted(rows.items()) if len(found) >= MIN_STRANGERS}
    pools = [Pool(name, np.array(found, np.int64)) for name, found in large.items()]
    return pools, tuple(sorted(rows.keys() - large.keys()))


def foreseen(population: OwnPopulation) -> list[str]:
    """Return what so many people can support, in lines, before anything is measured."""
    strangers, people = len(population.strangers), {i.label for i in population.people.items}
    photos = len(population.people)
    cut = (
        "whole photos: the service's own vision finds and aligns the faces"
        if population.align
        else "ready face crops, as the service cuts them; --align is for whole photos"
    )
    lines = [
        f"pictures are taken for {cut}",
        f"{len(people)} people with {photos} photos: nothing can be said of refusals rarer than "
        f"{rarest_supported(len(people)):.2g} of the people",
        _supported("all strangers", strangers),
    ]
    for name, size in population.group_sizes().items():
        if size >= MIN_STRANGERS:
            lines.append(_supported(name, size))
        else:
            lines.append(f"{name}: {size} strangers are too few to promise anything within it")
    if not population.groups:
        lines.append("no groups are given (--groups): nothing is promised within one group")
    return lines


def _supported(name: str, strangers: int) -> str:
    attempt, comparison = rarest_supported(strangers), rarest_supported(pairs_of(strangers))
    return (
        f"{name}: {strangers} strangers, {pairs_of(strangers)} pairs; they support a risk of "
        f"{attempt:.2g} of an attempt and a rate of {comparison:.2g} of a comparison, and none "
        "that is rarer (rule of three)"
    )


def _read(source: str) -> ImageSet:
    kind, _, rest = source.partition(":")
    if kind in KINDS and rest:
        return read_images(kind, Path(rest).expanduser())
    path = Path(source).expanduser()
    if not path.exists():
        raise DataError(
            f"{path} does not exist; a source is a path or KIND:PATH ({', '.join(KINDS)})"
        )
    return read_images(guess_kind(path), path)


def _labelled(images: ImageSet) -> ImageSet:
    kept = tuple(item for item in images.items if item.label is not None)
    if not kept:
        raise DataError(f"{images.name} names nobody; people are folders, one for each identity")
    return replace(images, items=kept)


def _one_each(images: ImageSet) -> ImageSet:
    """Return the first picture of each identity; an unnamed picture is somebody by itself."""
    first: dict[str, ImageItem] = {}
    for item in images.items:
        first.setdefault(item.key if item.label is None else f"{item.label}/", item)
    return replace(images, items=tuple(first.values()))


def _require_enough(people: int, strangers: int) -> None:
    if people < MIN_PEOPLE or strangers < MIN_STRANGERS:
        raise DataError(
            f"{people} people with two photos or more and {strangers} strangers are left; a "
            f"calibration needs {MIN_PEOPLE} and {MIN_STRANGERS} at the very least, and hundreds "
            "of strangers to promise anything worth having"
        )


def _groups_of(path: Path, items: Sequence[ImageItem]) -> dict[str, str]:
    """Return the group of each item by key, from a CSV with ``file``, ``group``, maybe ``gender``.

    ``file`` is a key, an identity, or a file's base name where only one item has it.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = {"file", "group"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"{path} lacks the columns {sorted(missing)}")
        group_of = {
            row["file"]: f"{row['group']} {row.get('gender') or ''}".strip()
            for row in reader
            if row["file"] and row["group"]
        }
    bases = Counter(item.key.rsplit("/", 1)[-1] for item in items)
    found: dict[str, str] = {}
    for item in items:
        base = item.key.rsplit("/", 1)[-1]
        names = [item.key, item.label or "", *([base] if bases[base] == 1 else [])]
        group = next((group_of[name] for name in names if name in group_of), None)
        if group is not None:
            found[item.key] = group
    if not found:
        raise DataError(f"{path} gives no group of any of the strangers; its files are others")
    return found


def _ready_crop(item: ImageItem) -> Picture:
    picture = item.read()
    if picture.shape[:2] != (CROP_SIZE, CROP_SIZE):
        return picture
    return picture[CROP_MARGIN:-CROP_MARGIN, CROP_MARGIN:-CROP_MARGIN]


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
