"""Answers, as problems, the errors that no route has answered."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.problems import answer_to


class ErrorBoundaryMiddleware:
    """Stands around the routes and all middleware that refuses requests.

    Starlette's own boundary is outside of all middleware: its answers carry no request id, are
    counted nowhere, and the server logs the error a second time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises only what happens when the answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:
            if begun:
                raise  # the server logs it and ends the connection
            await answer_to(error)(scope, receive, send)
