"""Which door asks: a name for the metrics, from a header."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header

from app.api.metrics.doors import NO_DOOR
from app.api.state import State
from app.domain.errors import RefusedAttemptError
from app.domain.photo_errors import PhotoError

DOOR_PATTERN = r"^[A-Za-z0-9._-]{1,32}$"


async def _door(
    state: State,
    x_door: Annotated[
        str | None,
        Header(
            pattern=DOOR_PATTERN,
            description="Which door or terminal asks, for the metrics; never a person.",
        ),
    ] = None,
) -> AsyncIterator[str]:
    door = x_door or NO_DOOR
    try:
        yield door
    except PhotoError as error:
        state.metrics.doors.refused_photo(door, error.code)
        raise
    except RefusedAttemptError as error:
        state.metrics.doors.refused_attempt(door, error.code)
        raise


#: The door that a request names. What a route refuses is counted for it.
Door = Annotated[str, Depends(_door)]
