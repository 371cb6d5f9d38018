"""Recipes as TOML files, each of which states only what differs from the one it extends."""

from __future__ import annotations

import tomllib
from pathlib import Path

from training.foundation.errors import DataError

RECIPES = Path(__file__).parent


def read_document(name_or_path: str, folder: Path = RECIPES) -> dict[str, object]:
    """Return what a TOML file says after all that it extends; names are looked up in ``folder``.

    Raises ``FileNotFoundError`` for an unknown recipe and ``DataError``, which names the file, for
    one that is no TOML or that extends itself.
    """
    return _extended(name_or_path, folder, ())


def _extended(name_or_path: str, folder: Path, extending: tuple[Path, ...]) -> dict[str, object]:
    """Return a document laid over what it extends; ``extending`` are the files on the way here."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = folder / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise FileNotFoundError(f"no recipe {name_or_path!r}; known: {known}")
    chain = (*extending, path)
    if path.resolve() in {file.resolve() for file in extending}:
        raise DataError(f"{path} extends itself: {' extends '.join(map(str, chain))}")
    document = _read_toml(path)
    base = document.pop("extends", None)
    if base is None:
        return document
    return _merged(_extended(str(base), folder, chain), document)


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # bad TOML, or bytes that are no text
        raise DataError(f"{path} is no TOML file: {error}") from error


def _merged(base: dict[str, object], change: dict[str, object]) -> dict[str, object]:
    """Return ``base`` with ``change`` laid over it; tables merge, lists are replaced.

    So is a table whose ``name`` or ``kind`` changes: the settings of one loss, or of one network,
    mean nothing to another.
    """
    merged = dict(base)
    for key, value in change.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            same_thing = all(value.get(k, before.get(k)) == before.get(k) for k in ("name", "kind"))
            merged[key] = _merged(before, value) if same_thing else value
        else:
            merged[key] = value
    return merged
