"""The part of a recipe that names a data set to learn from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from training.foundation.records import Record


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


#: What to do about pictures without a partner.
Leftovers = Literal["raise", "leave_out"]

#: The text of a regular expression.
Expression = Annotated[str, AfterValidator(_compiles)]

#: Keys younger than saved runs, with what runs did before: a run that does so is the same run.
_YOUNGER: dict[str, object] = {"name": None, "leftovers": "raise", "pairs": None, "columns": None}


class SourceRecipe(Record):
    """A data set: a reader's name and, for all but bundled ones, where it lies.

    A relative path is one below the folder of the training data. ``only`` is a regular expression
    that the names of identities must begin with. ``leftovers = "leave_out"`` passes over pictures
    of "stem_pairs" that have no partner; otherwise they stop the run. ``pairs`` is the View 2 list
    of "lfw": all of these images are of the split "test", and the report judges the listed pairs.
    ``columns`` says what a "table" calls its columns, as ``{ path = "file", label = "person" }``.
    Where several sources are combined, ``name``, or else the last part of the path, goes before the
    names of their images and identities.
    """

    kind: str
    path: Path | None = None
    only: Expression | None = None
    name: str | None = Field(default=None, pattern="^[^/]+$")
    leftovers: Leftovers = "raise"
    pairs: Path | None = None
    columns: dict[Literal["path", "label", "split"], str] | None = None

    @model_validator(mode="after")
    def _keys_fit_the_kind(self) -> SourceRecipe:
        if self.leftovers != "raise" and self.kind != "stem_pairs":
            raise ValueError(f'leftovers are of "stem_pairs", not of "{self.kind}"')
        if self.pairs is not None and self.kind != "lfw":
            raise ValueError(f'pairs are of "lfw", not of "{self.kind}"')
        if self.columns is not None and self.kind != "table":
            raise ValueError(f'columns are of "table", not of "{self.kind}"')
        return self

    @model_serializer(mode="wrap")
    def _without_younger_defaults(
        self, handler: SerializerFunctionWrapHandler
    ) -> dict[str, object]:
        settings: dict[str, object] = handler(self)
        return {k: v for k, v in settings.items() if k not in _YOUNGER or v != _YOUNGER[k]}
