"""Recipes as TOML files, each of which states only what differs from the one it extends."""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from training.foundation.errors import DataError
from training.foundation.records import Record

RECIPES = Path(__file__).parent
#: What an error calls the changes of the command line, beside the names of files.
SETTINGS = "--set"

Kind = TypeVar("Kind", bound=Record)
Table = dict[str, object]


@dataclass(frozen=True)
class _Layer:
    """What one file, or the command line, states."""

    name: str
    stated: Table


def read_document(name_or_path: str, folder: Path = RECIPES) -> Table:
    """Return what a TOML file says after all that it extends, unchecked."""
    return _whole(_layers(name_or_path, folder, ()))


def load_document(
    kind: type[Kind], name_or_path: str, folder: Path = RECIPES, settings: Sequence[str] = ()
) -> Kind:
    """Return a recipe by its name in ``folder`` or by the path of a TOML file.

    What a file extends is looked for beside it first. ``settings`` are ``key=value`` with dots in
    the key (``loss.margin=0.3``) and a TOML value, or a word; without a value the key is left out.
    Types are strict: no number is taken from text, none for true. Raises ``FileNotFoundError`` for
    an unknown recipe, and ``DataError``, which names file and key, for whatever else is wrong.
    """
    layers = _layers(name_or_path, folder, settings)
    whole = _named_as_by_default(kind, _whole(layers), layers)
    for place, value in _numbers(whole, ()):
        if not math.isfinite(value):
            raise DataError(f"{_origin(layers, place)}: {'.'.join(place)} = {value} is no number")
    try:
        return kind.model_validate_json(json.dumps(whole, default=str), strict=True)
    except ValidationError as error:
        said = [_said(kind, layers, found) for found in error.errors()]
        raise DataError("; ".join(dict.fromkeys(said))) from error


def _named_as_by_default(kind: type[BaseModel], whole: Table, layers: Sequence[_Layer]) -> Table:
    """Return the recipe with the names of what settings change and no file states.

    ``--set loss.margin=0.3`` means the loss that the recipe has by default.
    """
    named = dict(whole)
    for key, value in whole.items():
        field = kind.model_fields.get(key)
        stated = any(key in layer.stated for layer in layers if layer.name != SETTINGS)
        if field is None or stated or not isinstance(value, dict):
            continue
        name = getattr(field.get_default(call_default_factory=True), "name", None)
        if name is not None:
            named[key] = {"name": name, **value}
    return named


def _layers(name_or_path: str, folder: Path, settings: Sequence[str]) -> list[_Layer]:
    """Return what decides a recipe, the last word first."""
    layers = list(_files(_found(name_or_path, [folder], None), folder, ()))
    changes = _as_tables(settings)
    return [_Layer(SETTINGS, changes), *layers] if settings else layers


def _files(path: Path, folder: Path, extending: tuple[Path, ...]) -> Iterator[_Layer]:
    """Yield a file and then what it extends; ``extending`` are the files on the way here."""
    chain = (*extending, path)
    if path.resolve() in {file.resolve() for file in extending}:
        raise DataError(f"{path} extends itself: {' extends '.join(map(str, chain))}")
    document = _read_toml(path)
    base = document.pop("extends", None)
    yield _Layer(str(path), document)
    if base is not None:
        yield from _files(_found(str(base), [path.parent, folder], path), folder, chain)


def _found(name_or_path: str, folders: Sequence[Path], extended_by: Path | None) -> Path:
    """Return the file of a recipe: a path, beside the file that extends it or not, or a name.

    A file that extends its own name means the shipped recipe of that name.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        places = [path] if extended_by is None else [extended_by.parent / path, path]
    else:
        places = [folder / f"{name_or_path}.toml" for folder in folders]
        if extended_by is not None:
            own = extended_by.resolve()
            places = [place for place in places if place.resolve() != own]
    for place in places:
        if place.is_file():
            return place
    known = sorted({file.stem for folder in folders for file in folder.glob("*.toml")})
    where = "" if extended_by is None else f", which {extended_by} extends"
    raise FileNotFoundError(f"no recipe {name_or_path!r}{where}; known: {', '.join(known)}")


def _read_toml(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # bad TOML, or bytes that are no text
        raise DataError(f"{path} is no TOML file: {error}") from error


def _whole(layers: Sequence[_Layer]) -> Table:
    document: Table = {}
    for layer in reversed(layers):
        document = _merged(document, layer.stated)
    return _without_left_out(document)


def _merged(base: Table, change: Table) -> Table:
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
        elif isinstance(before, list) and isinstance(value, dict) and value:
            merged[key] = _with_items(before, value, key)
        else:
            merged[key] = value
    return merged


def _with_items(items: list[object], change: Table, key: str) -> list[object]:
    """Return a list with some of its items changed: the keys of ``change`` are their places."""
    wrong = [place for place in change if not place.isdecimal() or int(place) >= len(items)]
    if wrong:
        raise DataError(f"{SETTINGS}: {key} has the items 0 to {len(items) - 1}, not {wrong[0]!r}")
    changed = _merged({str(n): item for n, item in enumerate(items)}, change)
    return [changed[str(n)] for n in range(len(items))]


class _LeftOut:
    """Stands for a key that ``--set key=`` leaves out."""


def _without_left_out(table: Table) -> Table:
    return {
        key: _without_left_out(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if not isinstance(value, _LeftOut)
    }


def _as_tables(settings: Sequence[str]) -> Table:
    """Return ``a.b=1`` as a table in a table; raises ``DataError`` for what is no setting."""
    tables: Table = {}
    for setting in settings:
        dotted, equals, text = setting.partition("=")
        keys = [key.strip() for key in dotted.split(".")]
        if not equals or not all(keys):
            raise DataError(f"{SETTINGS} {setting!r} is not key=value, as loss.margin=0.3")
        table = tables
        for key in keys[:-1]:
            inner = table.setdefault(key, {})
            if not isinstance(inner, dict):
                raise DataError(f"{SETTINGS} {setting!r}: {key} was given a value before")
            table = inner
        if keys[-1] in table:
            raise DataError(f"{SETTINGS}: {'.'.join(keys)} is given twice")
        table[keys[-1]] = _value(text.strip())
    return tables


def _value(text: str) -> object:
    """Return a TOML value; what is none is text, so that words and paths need no quotes."""
    if not text:
        return _LeftOut()
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _numbers(value: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _numbers(inner, (*place, str(number)))
    elif isinstance(value, float):
        yield place, value


def _said(kind: type[BaseModel], layers: Sequence[_Layer], error: ErrorDetails) -> str:
    """Return one fault as ``file: key: what is wrong``, without the tags of choices."""
    place = tuple(map(str, _stated_place(_whole(layers), error["loc"])))
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        said = f"there is no such key{_meant(kind, error['loc'])}"
    elif error["type"] not in {"missing", "value_error"} and not isinstance(error["input"], dict):
        said += f", not {error['input']!r}"
    key = f"{'.'.join(place)}: " if place else ""
    return f"{_origin(layers, place)}: {key}{said}"


def _stated_place(document: object, loc: Sequence[str | int]) -> list[str | int]:
    """Return where a fault lies in the document: pydantic names the choice made as well."""
    place: list[str | int] = []
    here = document
    for position, key in enumerate(loc):
        known = (isinstance(here, Mapping) and key in here) or (
            isinstance(here, list) and isinstance(key, int) and key < len(here)
        )
        if isinstance(here, Mapping | list) and known:
            here = here[key]  # type: ignore[index]
        elif position < len(loc) - 1 or not isinstance(here, Mapping):
            continue
        place.append(key)
    return place


def _origin(layers: Sequence[_Layer], place: Sequence[str]) -> str:
    """Return the file that has the last word at ``place``, or the one that should have."""
    for length in range(len(place), 0, -1):
        for layer in layers:
            if _states(layer.stated, place[:length]):
                return layer.name
    return next((layer.name for layer in layers if layer.name != SETTINGS), SETTINGS)


def _states(table: object, place: Sequence[str]) -> bool:
    for key in place:
        if isinstance(table, Mapping) and key in table:
            table = table[key]
        elif isinstance(table, list) and key.isdecimal() and int(key) < len(table):
            table = table[int(key)]
        else:
            return False
    return True


def _meant(kind: type[BaseModel], loc: Sequence[str | int]) -> str:
    """Return which key somebody may have meant, from all keys that any recipe part has."""
    keys = {key for part in (kind, *_parts(kind, set())) for key in part.model_fields}
    near = difflib.get_close_matches(str(loc[-1]), sorted(keys), n=1)
    return f"; is {near[0]!r} meant?" if near else ""


def _parts(kind: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Yield the records that a recipe's keys may hold, at any depth."""
    for field in kind.model_fields.values():
        for part in records_in(field.annotation):
            if part not in seen:
                seen.add(part)
                yield part
                yield from _parts(part, seen)


def records_in(annotation: object) -> list[type[BaseModel]]:
    """Return the records that a type names, itself or in a union, a tuple or an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments: tuple[object, ...] = getattr(annotation, "__args__", ())
    return [part for argument in arguments for part in records_in(argument)]
