"""Claims a place for every request that carries photos, before its body is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.body_limit import announced_bytes
from app.api.problems import TOO_SLOW, ApiError
from app.api.state import AppState
from app.services.admission import Place


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


class PhotoGateMiddleware:
    """Refuses at once what finds no place, so that only a bounded number of photos is held."""

    def __init__(
        self, app: ASGIApp, photo_route: Callable[[Scope], BaseRoute | None], patience: Patience
    ) -> None:
        """Watch the requests for which there is a ``photo_route``."""
        self._app = app
        self._photo_route = photo_route
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises ``BusyError``."""
        route = self._photo_route(scope) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route  # so that a refusal, too, is counted under its route
        state: AppState = scope["state"]["facegate"]
        with state.admission.place() as place:
            place.hold(announced_bytes(scope) or 0)
            await self._app(scope, self._counted(receive, place), send)

    def _counted(self, receive: Receive, place: Place) -> Receive:
        started = time.monotonic()
        received = 0
        complete = False

        async def counted() -> Message:
            nonlocal received, complete
            if complete:  # what comes now is the end of the connection
                return await receive()
            try:
                with anyio.fail_after(started + self._patience.after(received) - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                detail = f"{received} bytes came in {time.monotonic() - started:.0f} seconds"
                raise ApiError(TOO_SLOW, detail, {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            place.hold(received)
            return message

        return counted
