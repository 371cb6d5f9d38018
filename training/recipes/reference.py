"""What every key of a recipe may be, read from the records themselves: for people and for docs."""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from training.foundation.errors import DataError
from training.recipes.build_recipe import BUILDS, BuildRecipe
from training.recipes.documents import RECIPES, records_in
from training.recipes.metric_recipe import METRIC_RECIPES, MetricRecipe
from training.recipes.recipe import Recipe

#: What reads recipes: the command, the record and the folder of those that are shipped.
KINDS: Mapping[str, tuple[type[BaseModel], Path]] = {
    "learn": (MetricRecipe, METRIC_RECIPES),
    "distill": (Recipe, RECIPES),
    "build": (BuildRecipe, BUILDS),
}
BEGIN, END = "<!-- keys of recipes: begin -->", "<!-- keys of recipes: end -->"
_PLAIN = {"float": "number", "int": "integer", "str": "text", "bool": "true or false"}


@dataclass(frozen=True)
class Key:
    """One key: what it may be, its limits, and its default as TOML writes it."""

    name: str
    type: str
    limits: str
    default: str


@dataclass(frozen=True)
class Section:
    """One table of a recipe, or one choice of it (``choice`` is its ``name`` or ``kind``)."""

    place: str
    choice: str
    text: str
    keys: tuple[Key, ...]

    @property
    def title(self) -> str:
        """How the section is called, as ``loss, name = "triplet"``."""
        return ", ".join(part for part in (self.place, self.choice) if part)


def sections(kind: type[BaseModel], place: str = "") -> Iterator[Section]:
    """Yield a recipe's tables, the outermost first, in the order of their keys."""
    inner: list[tuple[str, type[BaseModel]]] = []
    keys = []
    for name, field in kind.model_fields.items():
        where = f"{place}.{name}" if place else name
        records = records_in(field.annotation)
        several = get_origin(field.annotation) is tuple
        inner += [(f"{where}.0" if several else where, record) for record in records]
        if not records:
            keys.append(Key(where, _type(field.annotation), _limits(field), _default(field)))
    yield Section(place, _choice(kind), _text(kind), tuple(keys))
    for where, record in inner:
        yield from sections(record, where)


def explain(key: str) -> str:
    """Return what a key, or a table of keys, may be in each kind of recipe that has it.

    The last part of a key is enough. Raises ``DataError`` where no recipe has such a key.
    """
    found = []
    for command, (kind, _) in KINDS.items():
        for section in sections(kind):
            whole = section.place == key
            keys = [k for k in section.keys if whole or k.name == key or k.name.endswith(f".{key}")]
            if keys:
                lines = [f"{command}: {section.title or 'the recipe'}", f"  {section.text}"]
                found.append("\n".join([*lines, *(f"  {_line(one)}" for one in keys)]))
    if not found:
        raise DataError(f"no recipe has a key {key!r}; `recipe --keys` lists them all")
    return "\n\n".join(found)


def listed() -> Iterator[tuple[str, str, str]]:
    """Yield command, name and what the first comment says of every recipe that is shipped."""
    for command, (_, folder) in KINDS.items():
        for file in sorted(folder.glob("*.toml")):
            yield command, file.stem, _about(file.read_text(encoding="utf-8"))


def reference() -> str:
    """Return the keys of a recipe for ``learn`` as Markdown, a table for each section."""
    parts = []
    for section in sections(MetricRecipe):
        title = f"`{section.place}`" if section.place else "The recipe"
        if section.choice:
            title += f", `{section.choice}`"
        parts.append(f"**{title}.** {section.text}")
        rows = [
            f"| `{key.name}` | {_cell(key.type)} | {_cell(key.limits)} | {_cell(key.default)} |"
            for key in section.keys
        ]
        if rows:
            parts.append("\n".join(["| key | is | limits | default |", "|---|---|---|---|", *rows]))
    return "\n\n".join(parts)


def written_reference(document: str) -> str:
    """Return a document with the reference between its two marks; ``DataError`` without them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"the document has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


def _choice(kind: type[BaseModel]) -> str:
    """Return ``name = "..."`` of a record that is one of several."""
    for name in ("name", "kind"):
        field = kind.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is Literal:
            values = get_args(field.annotation)
            if len(values) < 3:
                return f"{name} = {' or '.join(json.dumps(value) for value in values)}"
    return ""


def _text(kind: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(kind) or "").replace("``", "`").split())


def _line(key: Key) -> str:
    limits = f", {key.limits}" if key.limits else ""
    return f"{key.name}: {key.type}{limits}; default: {key.default}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(annotation: object) -> str:
    """Return a type in words; a choice as the values that TOML may have."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(json.dumps(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments if part is not types.NoneType)
    if origin is tuple:
        listed = [part for part in arguments if part is not Ellipsis]
        words = ", ".join(_type(part) for part in listed)
        return f"[{words}{', ...' if Ellipsis in arguments else ''}]"
    if origin is not None and arguments:
        return "table of " + _type(arguments[-1])
    name = getattr(annotation, "__name__", str(annotation))
    return "path" if name == "Path" else _PLAIN.get(name, name)


def _limits(field: FieldInfo) -> str:
    words: list[str] = []
    signs: dict[type, Callable[[object], str]] = {
        Gt: lambda limit: f"> {getattr(limit, 'gt', '')}",
        Ge: lambda limit: f">= {getattr(limit, 'ge', '')}",
        Lt: lambda limit: f"< {getattr(limit, 'lt', '')}",
        Le: lambda limit: f"<= {getattr(limit, 'le', '')}",
        MinLen: lambda limit: f"at least {getattr(limit, 'min_length', '')}",
    }
    for limit in field.metadata:
        told = signs.get(type(limit))
        if told is not None:
            words.append(told(limit))
    return ", ".join(words)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.default
    return "none" if value is None else json.dumps(value, default=str)


def _about(text: str) -> str:
    """Return a recipe's first comment, or which recipe it is a change of."""
    lines = text.splitlines()
    comment = [line.lstrip("# ") for line in lines[: _comment_lines(lines)]]
    if comment:
        return re.split(r"\.\s(?=[A-Z])|:$", " ".join(comment))[0].rstrip(".:")
    base = [line.split('"')[1] for line in lines if line.startswith("extends")]
    return f"changes {base[0]}" if base else ""


def _comment_lines(lines: list[str]) -> int:
    return next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
