"""Reads folders of pictures: one folder for each identity, such folders by split, or loose ones."""

from __future__ import annotations

from pathlib import Path

from training.data.decoding import PICTURE_SUFFIXES, file_item
from training.data.images import ImageItem, ImageSet
from training.foundation.errors import DataError

#: What other people call the parts of a data set.
SPLIT_NAMES = {"val": "validation", "valid": "validation"}


def read_folders(root: Path, *, splits: bool = False, name: str | None = None) -> ImageSet:
    """Return the pictures ``<identity>/<file>`` below ``root``.

    With ``splits`` they are ``<split>/<identity>/<file>``; "val" and "valid" are "validation".
    Keys are the paths below ``root``. Raises ``DataError`` for a folder without pictures, an
    identity without one, and a picture that lies elsewhere, for it would have a wrong identity.
    """
    depth = 3 if splits else 2
    shape = "<split>/<identity>/<file>" if splits else "<identity>/<file>"
    files = picture_files(root)
    for file in files:
        if len(file.relative_to(root).parts) != depth:
            raise DataError(f"{root}: {file.relative_to(root)} lies elsewhere than {shape}")
    _refuse_empty_identities(root, depth, files)
    return ImageSet(name or root.name, tuple(_item(root, file, splits) for file in files))


def read_pictures(root: Path, *, name: str | None = None) -> ImageSet:
    """Return every picture below ``root``, at any depth, of unknown identity.

    Raises ``DataError`` where there is none.
    """
    items = tuple(
        file_item(file, file.relative_to(root).as_posix(), None) for file in picture_files(root)
    )
    return ImageSet(name or root.name, items)


def picture_files(root: Path) -> list[Path]:
    """Return the files below ``root`` with a picture's suffix, sorted; hidden ones left out.

    Raises ``DataError`` where ``root`` is no folder or holds none.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder")
    files = sorted(
        file
        for file in root.rglob("*")
        if file.suffix.lower() in PICTURE_SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
        and file.is_file()
    )
    if not files:
        raise DataError(f"{root} holds no picture ({', '.join(PICTURE_SUFFIXES)})")
    return files


def files_by_stem(root: Path) -> dict[str, Path]:
    """Return the pictures directly in ``root`` by their names without suffix.

    Raises ``DataError`` where ``root`` holds none, or two of one stem.
    """
    by_stem: dict[str, Path] = {}
    for file in picture_files(root):
        if file.parent != root:
            continue
        if file.stem in by_stem:
            raise DataError(f"{root} holds {by_stem[file.stem].name} and {file.name}: one stem")
        by_stem[file.stem] = file
    return by_stem


def _item(root: Path, file: Path, splits: bool) -> ImageItem:
    parts = file.relative_to(root).parts
    split = SPLIT_NAMES.get(parts[0], parts[0]) if splits else None
    return file_item(file, "/".join(parts), parts[-2], split)


def _refuse_empty_identities(root: Path, depth: int, files: list[Path]) -> None:
    pattern = "/".join(["*"] * (depth - 1))
    folders = {path for path in root.glob(pattern) if path.is_dir() and path.name[0] != "."}
    empty = sorted(
        str(path.relative_to(root)) for path in folders - {file.parent for file in files}
    )
    if empty:
        more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
        raise DataError(f"{root}: identities without a picture: {', '.join(empty[:3])}{more}")
