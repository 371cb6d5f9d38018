"""Every kind of data set by its name, so that a recipe or a command can ask for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from training.data.images import ImageSet
from training.data.readers.celeba import IDENTITY_FILES, IMAGE_FOLDER, read_celeba
from training.data.readers.digits import read_digits
from training.data.readers.folders import read_folders, read_pictures
from training.data.readers.idx import idx_folder, read_idx
from training.data.readers.lfw import read_lfw
from training.data.readers.omniglot import SPLIT_OF_FOLDER, read_omniglot
from training.data.readers.shards import read_shards
from training.data.readers.stem_pairs import read_stem_pairs
from training.data.readers.table import read_table
from training.foundation.errors import DataError
from training.recipes.source_recipe import Leftovers

ImageKind = Literal[
    "folders",
    "split_folders",
    "pictures",
    "shards",
    "unlabelled_shards",
    "stem_pairs",
    "idx",
    "omniglot",
    "celeba",
    "table",
    "lfw",
    "digits",
]
KINDS: tuple[ImageKind, ...] = get_args(ImageKind)

_READERS: dict[str, Callable[[Path, str | None], ImageSet]] = {
    "folders": lambda path, name: read_folders(path, name=name),
    "split_folders": lambda path, name: read_folders(path, splits=True, name=name),
    "pictures": lambda path, name: read_pictures(path, name=name),
    "shards": lambda path, name: read_shards(path, name=name),
    "unlabelled_shards": lambda path, name: read_shards(path, labelled=False, name=name),
    "idx": lambda path, name: read_idx(path, name=name),
    "omniglot": lambda path, name: read_omniglot(path, name=name),
    "celeba": lambda path, name: read_celeba(path, name=name),
    "lfw": lambda path, name: read_lfw(path, name=name),
}

_SPLIT_FOLDERS = {"train", "validation", "val", "valid", "test"}


def read_images(
    kind: str,
    path: Path | None = None,
    *,
    name: str | None = None,
    leftovers: Leftovers = "raise",
    columns: Mapping[str, str] | None = None,
) -> ImageSet:
    """Return the images of a kind at a path, under ``name`` or the path's own.

    ``leftovers`` says what becomes of "stem_pairs" without a partner, ``columns`` what a "table"
    calls its own. Only "digits" needs no path.
    Raises ``DataError`` for an unknown kind, a missing path, and whatever the reader of the kind
    finds wrong.
    """
    if kind == "digits":
        if path is not None:
            raise DataError(f"the digits come with scikit-learn, not from {path}")
        return read_digits(name=name)
    if kind not in KINDS:
        raise DataError(f"there is no kind of images {kind!r}; known: {', '.join(KINDS)}")
    if path is None:
        raise DataError(f"images of kind {kind!r} need a path")
    if not path.exists():
        raise DataError(f"{path} does not exist")
    if kind == "stem_pairs":
        return read_stem_pairs(path, leftovers=leftovers, name=name)
    if kind == "table":
        return read_table(path, name=name, columns=columns)
    if columns:
        raise DataError(f'columns are of "table", not of "{kind}"')
    return _READERS[kind](path, name)


def guess_kind(path: Path | None) -> ImageKind:
    """Return the kind of the images at ``path`` by the names of what lies there.

    No path means the digits. Folders of no special shape are taken for identities, whose reader
    says what does not fit; files without any folder for pictures of unknown identity.
    """
    if path is None:
        return "digits"
    if path.is_file():
        return "table" if path.suffix.lower() == ".csv" else "shards"
    folders = {entry.name for entry in path.glob("*") if entry.is_dir()}
    files = {entry.name for entry in path.glob("*") if entry.is_file()}
    signs: list[tuple[ImageKind, bool]] = [
        ("omniglot", bool(folders & set(SPLIT_OF_FOLDER))),
        ("celeba", IMAGE_FOLDER in folders or bool(files & set(IDENTITY_FILES))),
        ("stem_pairs", folders == {"left", "right"}),
        ("idx", idx_folder(path) is not None),
        ("split_folders", bool(folders) and folders <= _SPLIT_FOLDERS),
        ("folders", bool(folders)),
        ("shards", any(file.endswith(".tar") for file in files)),
    ]
    return next((kind for kind, present in signs if present), "pictures")
