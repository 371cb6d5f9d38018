"""Aligned face crops held in memory: read once from tars, zips or folders, then only indexed."""

from __future__ import annotations

import csv
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import distance_transform_edt

from training.foundation.arrays import BoolArray, ByteImage
from training.foundation.errors import DataError

CROP_SIZE = 128
CROP_MARGIN = 8  # a 128 px crop is the 112 px ArcFace crop with 8 px on every side
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
NO_LABEL = -1


@dataclass(frozen=True)
class CropSet:
    """Crops of one or several sources, with what is known of each.

    ``images`` is uint8 RGB ``(N, 3, 128, 128)``; a pixel of exactly (0, 0, 0) lies *outside* the
    original photograph (readers keep every other pixel at 1 or more). ``identities`` holds one
    number a person, ``groups`` one number for each pool of people who are all different
    (both ``NO_LABEL`` where unknown); ``sources`` indexes ``source_names``.
    """

    images: torch.Tensor
    identities: torch.Tensor
    groups: torch.Tensor
    sources: torch.Tensor
    source_names: tuple[str, ...]
    files: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def of(self, rows: torch.Tensor) -> CropSet:
        """Return the crops in these ``rows``, int64 ``(M,)``, with all that is known of them."""
        return CropSet(
            images=self.images[rows],
            identities=self.identities[rows],
            groups=self.groups[rows],
            sources=self.sources[rows],
            source_names=self.source_names,
            files=tuple(self.files[row] for row in rows.tolist()),
        )

    @staticmethod
    def concatenate(sets: list[CropSet]) -> CropSet:
        """Return one set of all, with identities and groups kept apart between the sources."""
        identities, groups, sources = [], [], []
        next_identity = next_group = 0
        for position, crops in enumerate(sets):
            identities.append(_shifted(crops.identities, next_identity))
            groups.append(_shifted(crops.groups, next_group))
            sources.append(torch.full_like(crops.sources, position))
            next_identity = max(next_identity, int(identities[-1].max()) + 1)
            next_group = max(next_group, int(groups[-1].max()) + 1)
        return CropSet(
            images=torch.cat([crops.images for crops in sets]),
            identities=torch.cat(identities),
            groups=torch.cat(groups),
            sources=torch.cat(sources),
            source_names=tuple(crops.source_names[0] for crops in sets),
            files=tuple(file for crops in sets for file in crops.files),
        )


def _shifted(labels: torch.Tensor, by: int) -> torch.Tensor:
    return torch.where(labels == NO_LABEL, labels, labels + by)


def read_crops(
    name: str,
    paths: list[Path],
    *,
    labelled: bool,
    attributes: Path | None = None,
    mark_black: bool = False,
) -> CropSet:
    """Read every picture below ``paths`` (tars, zips or folders) as one source.

    With ``labelled`` the folder of a picture names its person. ``attributes`` is a CSV with columns
    ``file, gender, group``: people of one gender and group form a pool of different people.
    ``mark_black`` marks the black region that touches the border as outside the photograph.

    Raises ``DataError`` where nothing can be read; unreadable pictures are passed over.
    """
    encoded = [item for path in paths for item in encoded_members(path)]
    images = np.empty((len(encoded), 3, CROP_SIZE, CROP_SIZE), dtype=np.uint8)
    with ThreadPoolExecutor() as pool:
        readable = list(
            pool.map(
                lambda n: decode_crop(encoded[n][1], mark_black, images[n]), range(len(encoded))
            )
        )
    if not any(readable):
        raise DataError(f"{name}: no readable picture in {', '.join(map(str, paths))}")
    if not all(readable):
        images = images[np.asarray(readable)]
    files = tuple(file for (file, _), good in zip(encoded, readable, strict=True) if good)
    people = {person: number for number, person in enumerate(sorted({_person(f) for f in files}))}
    identities = [people[_person(file)] if labelled else NO_LABEL for file in files]
    return CropSet(
        images=torch.from_numpy(images),
        identities=torch.tensor(identities),
        groups=torch.tensor(_group_numbers(files, attributes)),
        sources=torch.zeros(len(files), dtype=torch.int64),
        source_names=(name,),
        files=files,
    )


def encoded_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every picture in a folder, a tar or a zip.

    Raises ``DataError`` where ``path`` is none of these, or an archive that breaks off.
    """
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in IMAGE_SUFFIXES:
                yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    try:
        yield from _archived(path)
    except _BROKEN_ARCHIVE as error:
        raise DataError(f"{path} is damaged or not whole: {error}") from error


#: What the readers of tars and zips raise for a file that breaks off or was changed.
_BROKEN_ARCHIVE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,  # a zip with a password, or packed in a way that is unknown here
)


def _archived(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_file() and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and member.name.lower().endswith(IMAGE_SUFFIXES):
                    yield member.name, content.read()
    elif path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                if name.lower().endswith(IMAGE_SUFFIXES):
                    yield name, packed.read(name)
    else:
        raise DataError(f"{path} is neither a folder nor a tar or zip file, or not whole")


def decode_crop(encoded: bytes, mark_black: bool, into: ByteImage) -> bool:
    """Decode one picture into ``into`` ``(3, 128, 128)``; say whether it could be read.

    As ``read_crops`` gives them: exact zeros lie outside the photograph.
    """
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return False
    if picture.shape[:2] != (CROP_SIZE, CROP_SIZE):
        grows = picture.shape[0] < CROP_SIZE  # averaging areas is for shrinking only
        how = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
        picture = cv2.resize(picture, (CROP_SIZE, CROP_SIZE), interpolation=how)
    rgb = np.maximum(picture[:, :, ::-1], 1)
    if mark_black:
        rgb[_outside_photo(picture)] = 0
    into[:] = rgb.transpose(2, 0, 1)
    return True


def as_cut(image: ByteImage) -> ByteImage:
    """Return the face ``(3, 112, 112)`` of a stored crop ``(3, 128, 128)`` as the service cuts it.

    Beyond the picture its border is repeated.
    """
    inside = image.max(axis=0) > 0
    if not inside.all() and inside.any():
        _, (rows, columns) = distance_transform_edt(~inside, return_indices=True)
        image = image[:, rows, columns]
    return np.ascontiguousarray(image[:, CROP_MARGIN:-CROP_MARGIN, CROP_MARGIN:-CROP_MARGIN])


def _outside_photo(picture: npt.NDArray[np.generic]) -> BoolArray:
    """Return where near-black pixels connect to the border of the crop."""
    dark = (picture.max(axis=2) <= 12).astype(np.uint8)
    _, regions = cv2.connectedComponents(dark)
    border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    outside: BoolArray = np.isin(regions, np.unique(border)) & (dark == 1)
    return outside


def _person(file: str) -> str:
    return file.rsplit("/", 2)[-2] if "/" in file else file


def _group_numbers(files: tuple[str, ...], attributes: Path | None) -> list[int]:
    if attributes is None:
        return [NO_LABEL] * len(files)
    with attributes.open(newline="") as stream:
        reader = csv.DictReader(stream)
        missing = {"file", "gender", "group"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"{attributes} lacks the columns {sorted(missing)}")
        pool_of = {row["file"]: (row["group"], row["gender"]) for row in reader}
    pools = sorted({pool for pool in pool_of.values() if pool[0]})
    number = {pool: position for position, pool in enumerate(pools)}
    return [number.get(pool_of.get(file, ("", "")), NO_LABEL) for file in files]
