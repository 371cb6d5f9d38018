"""Answers, as problems, the errors that middleware raises outside the routes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.problems import ApiError, answer_to
from app.api.request_id import request_id_of
from app.domain.errors import FacegateError


class ErrorBoundaryMiddleware:
    """Stands around all middleware that refuses requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except (ApiError, FacegateError) as error:
            answer = answer_to(error, request_id_of(Request(scope)))
            await answer(scope, receive, send)
