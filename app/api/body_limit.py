"""Stops a request body that is too large before it is held anywhere."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import TOO_LARGE, ApiError, problem_response
from app.api.request_id import request_id_of


class BodyLimitMiddleware:
    """Refuses by the announced length, and counts what really arrives."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"a request may have {self._max_bytes} bytes"
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            headers = {"Connection": "close"}
            request_id = request_id_of(Request(scope))
            answer = problem_response(TOO_LARGE, detail, request_id, headers=headers)
            await answer(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self._max_bytes:
                    raise ApiError(TOO_LARGE, detail)
            return message

        await self._app(scope, counted, send)
