"""What is wrong with the fields of a request, in words of this service's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

_WHOLE_NUMBER = "must be a whole number"
_NUMBER = "must be a number"
_TRUTH = "must be true or false"
_OBJECT = "must be an object of named values"
_NOT_VALID = "is not valid"

#: By pydantic's type of error; its context fills the braces. The input itself is never shown: it
#: may be a photo or a name. Nor is a pattern, which tells its reader nothing.
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "none_required": "must be left out",
    "string_type": "must be a text",
    "string_unicode": "must be a text in UTF-8",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_pattern_mismatch": "has characters or a form that are not allowed here",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "json_invalid": "is not valid JSON",
    "value_error": "{error}",  # what a rule of ours said
}


def field_faults(errors: Iterable[Mapping[str, object]]) -> list[str]:
    """Return ``field: what is wrong`` for each error, as pydantic's ``errors()`` gives them."""
    return [f"{_field(error)}: {_sentence(error)}" for error in errors]


def _field(error: Mapping[str, object]) -> str:
    location = cast(tuple[int | str, ...], error["loc"])
    if error["type"] == "json_invalid":
        location = location[:1]  # what follows is the character at which reading stopped
    return ".".join(map(str, location)) or "the body"


def _sentence(error: Mapping[str, object]) -> str:
    kind = cast(str, error["type"])
    context = cast(Mapping[str, object], error.get("ctx", {}))
    if kind in {"string_too_short", "too_short"} and context.get("min_length") == 1:
        return "must not be empty"
    limits = {name: _limit_text(value) for name, value in context.items()}
    return _SENTENCES.get(kind, _NOT_VALID).format_map(limits)


def _limit_text(value: object) -> str:
    """Return a limit as a person writes it: 1000000 and 0.5, and 0 for 0.0."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
