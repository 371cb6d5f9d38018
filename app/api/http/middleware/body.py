"""Bounds the body of a request in bytes and in time while it arrives, and counts it: once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.problems import TOO_LARGE, TOO_SLOW, ApiError

_KEY = "facegate.body"


@dataclass
class ReceivedBody:
    """How much of a request's body is there, as the one who counts it says."""

    byte_count: int = 0
    is_complete: bool = False


@dataclass(frozen=True)
class Patience:
    """How long a body may take: ``seconds``, and longer as long as it keeps coming.

    A slot that is held by a caller who sends nothing is lost to all others.
    """

    seconds: float = 30.0
    bytes_per_second: float = 100_000.0

    def after(self, received_bytes: int) -> float:
        """Return how many seconds may have passed when so many bytes are there."""
        return self.seconds + received_bytes / self.bytes_per_second


def announced_bytes(scope: Scope) -> int | None:
    """Return the length of the body where the headers tell it."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def received_body(scope: Scope) -> ReceivedBody:
    """Return how much of the body of a request has arrived by now.

    Raises ``KeyError`` for a request that did not pass through ``BodyMiddleware``.
    """
    body: ReceivedBody = scope[_KEY]
    return body


class BodyMiddleware:
    """Refuses by the announced length, counts what really arrives, and ends what comes too slowly.

    What is for no route is refused as such, however long it is, and its body is not read.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: Callable[[Scope], int | None],
        patience: Callable[[Scope], Patience],
    ) -> None:
        """Hold each request to ``max_bytes`` and ``patience`` of its scope.

        ``max_bytes`` is None for what no route takes.
        """
        self._app = app
        self._max_bytes = max_bytes
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises ``ApiError``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._max_bytes(scope)
        if limit is None:
            send = _closing(send) if _has_body(scope) else send
        elif (announced_bytes(scope) or 0) > limit:
            raise _too_large(limit)
        body = scope[_KEY] = ReceivedBody()
        await self._app(scope, _bounded(receive, body, limit, self._patience(scope)), send)


def _bounded(
    receive: Receive, body: ReceivedBody, max_bytes: int | None, patience: Patience
) -> Receive:
    """Return a way to receive that counts into ``body`` and raises ``ApiError`` at a bound."""
    started = time.monotonic()

    async def bounded() -> Message:
        if body.is_complete:  # what comes now is the end of the connection
            return await receive()
        try:
            with anyio.fail_after(started + patience.after(body.byte_count) - time.monotonic()):
                message = await receive()
        except TimeoutError:
            detail = f"{body.byte_count} bytes came in {time.monotonic() - started:.0f} seconds"
            raise ApiError(TOO_SLOW, detail, {"Connection": "close"}) from None
        body.byte_count += len(message.get("body", b""))
        body.is_complete = not message.get("more_body", False)
        if max_bytes is not None and body.byte_count > max_bytes:
            raise _too_large(max_bytes)
        return message

    return bounded


def _too_large(limit: int) -> ApiError:
    # Closed, for the rest of the body may be without end.
    return ApiError(TOO_LARGE, f"such a request may have {limit} bytes", {"Connection": "close"})


def _has_body(scope: Scope) -> bool:
    return bool(announced_bytes(scope)) or "transfer-encoding" in Headers(scope=scope)


def _closing(send: Send) -> Send:
    """Return a way to answer after which the connection ends, with what is left of the body."""

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Connection"] = "close"
        await send(message)

    return send_and_close
