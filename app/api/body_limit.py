"""Stops a request body that is too large before it is held anywhere."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import TOO_LARGE, ApiError


def announced_bytes(scope: Scope) -> int | None:
    """Return the length of the body where the headers tell it."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


class BodyLimitMiddleware:
    """Refuses by the announced length, and counts what really arrives.

    What is for no route is refused as such, however long it is, and its body is not read.
    """

    def __init__(self, app: ASGIApp, max_bytes: Callable[[Scope], int | None]) -> None:
        """Hold each request to ``max_bytes`` of its scope, None where no route takes it."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._max_bytes(scope)
        if limit is None:
            await self._app(scope, receive, _closing(send) if _has_body(scope) else send)
            return
        # Closed, for the rest of the body may be without end.
        too_large = ApiError(
            TOO_LARGE, f"such a request may have {limit} bytes", {"Connection": "close"}
        )
        if (announced_bytes(scope) or 0) > limit:
            raise too_large
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise too_large
            return message

        await self._app(scope, counted, send)


def _has_body(scope: Scope) -> bool:
    return bool(announced_bytes(scope)) or "transfer-encoding" in Headers(scope=scope)


def _closing(send: Send) -> Send:
    """Return a way to answer after which the connection ends, with what is left of the body."""

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Connection"] = "close"
        await send(message)

    return send_and_close
