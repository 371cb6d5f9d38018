"""Ends requests whose body comes too slowly, on every route."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import TOO_SLOW, ApiError


@dataclass(frozen=True)
class Patience:
    """How long a body may take: ``seconds``, and longer as long as it keeps coming.

    A place that is held by a caller who sends nothing is lost to all others.
    """

    seconds: float = 30.0
    bytes_per_second: float = 100_000.0

    def after(self, received_bytes: int) -> float:
        """Return how many seconds may have passed when so many bytes are there."""
        return self.seconds + received_bytes / self.bytes_per_second


class SlowBodyMiddleware:
    """Holds each body that is read to the ``patience`` of its request's scope."""

    def __init__(self, app: ASGIApp, patience: Callable[[Scope], Patience]) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises ``ApiError``."""
        if scope["type"] == "http":
            receive = _timed(receive, self._patience(scope))
        await self._app(scope, receive, send)


def _timed(receive: Receive, patience: Patience) -> Receive:
    started = time.monotonic()
    received = 0
    complete = False

    async def timed() -> Message:
        nonlocal received, complete
        if complete:  # what comes now is the end of the connection
            return await receive()
        try:
            with anyio.fail_after(started + patience.after(received) - time.monotonic()):
                message = await receive()
        except TimeoutError:
            detail = f"{received} bytes came in {time.monotonic() - started:.0f} seconds"
            raise ApiError(TOO_SLOW, detail, {"Connection": "close"}) from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        return message

    return timed
