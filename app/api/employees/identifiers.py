"""Ids, names and card numbers as requests bring them: one spelling, whichever way they come."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from app.domain.spelling import canonical, has_hidden_characters

#: What generated clients write for a value that they do not have.
_NO_VALUE = frozenset({"", "none", "null", "undefined"})
#: Segments that every client and proxy takes out of a URL.
_DOTS = frozenset({".", ".."})


def _canonical(value: object) -> object:
    return canonical(value) if isinstance(value, str) else value


def _without_placeholder(value: object) -> object:
    is_placeholder = isinstance(value, str) and value.strip().casefold() in _NO_VALUE
    return None if is_placeholder else value


def _false_for_placeholder(value: object) -> object:
    return False if _without_placeholder(value) is None else value


def _refuse_dots(value: str) -> str:
    if value in _DOTS:
        raise ValueError("must not be . or .., which no URL can name")
    return value


def _refuse_placeholder(value: str) -> str:
    if value.casefold() in _NO_VALUE - {""}:
        raise ValueError("is no card number; leave it out, or send null to take the card away")
    return value


def _refuse_hidden(value: str) -> str:
    if has_hidden_characters(value):
        raise ValueError("must not hold characters that cannot be seen or that turn the direction")
    return value


def _refuse_hidden_in_name(value: str) -> str:
    if has_hidden_characters(value, in_name=True):
        raise ValueError("must not hold characters that cannot be seen or that turn the direction")
    return value


def _none_for_empty(value: str) -> str | None:
    return value or None


EmployeeId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f/\\?#%]+$"),
    BeforeValidator(_canonical),
    AfterValidator(_refuse_dots),
    AfterValidator(_refuse_hidden),
    Field(
        examples=["E-1042"],
        description="Kept in Unicode's form NFC with single spaces; sent in another, it is the "
        "same id.",
    ),
]
FullName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$"),
    BeforeValidator(_canonical),
    AfterValidator(_refuse_hidden_in_name),
    Field(examples=["Kim Example"], description="Kept as ids are, in one spelling."),
]
_CardText = Annotated[
    str,
    # Empty is accepted, in a form as in JSON, and is no card number.
    StringConstraints(pattern=r"^[A-Za-z0-9:._-]{0,64}$"),
    BeforeValidator(_canonical),
    AfterValidator(_refuse_dots),
    AfterValidator(_refuse_placeholder),
]
#: A card number, or none for an empty text.
CardNumber = Annotated[
    _CardText,
    AfterValidator(_none_for_empty),
    Field(examples=["0004711"], description="Empty means no card."),
]
#: For a field that may be left out and that a form can only send as a text.
LeftOutByPlaceholder = BeforeValidator(_without_placeholder)
FalseByPlaceholder = BeforeValidator(_false_for_placeholder)

#: Ids in a path are never refused: of what cannot be enrolled there is no record.
EmployeeIdInPath = Annotated[
    str, BeforeValidator(_canonical), Path(description="In any Unicode form.")
]
CardNumberInPath = Annotated[
    str, BeforeValidator(_canonical), Path(description="As the reader sends it.")
]
CardNumberFilter = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=64), BeforeValidator(_canonical)]
    | None,
    Query(description="Only the employee with this card."),
]
NameFilter = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_canonical)]
    | None,
    Query(
        description="Only whose name holds every one of these words or parts of words, whatever "
        "their case and accents.",
    ),
]
