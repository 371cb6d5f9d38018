"""Claims a slot for every request that carries photos, before its body is read."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.middleware.body import announced_bytes, received_body
from app.api.state import AppState
from app.services.admission import Slot


class PhotoGateMiddleware:
    """Refuses at once what finds no free slot, so that only a bounded number of photos is held."""

    def __init__(self, app: ASGIApp, photo_route: Callable[[Scope], BaseRoute | None]) -> None:
        """Watch the requests for which there is a ``photo_route``."""
        self._app = app
        self._photo_route = photo_route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises ``BusyError``."""
        route = self._photo_route(scope) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route  # so that a refusal, too, is counted under its route
        state: AppState = scope["state"]["facegate"]
        with state.admission.slot() as slot:
            slot.hold(announced_bytes(scope) or 0)
            await self._app(scope, _held(scope, receive, slot), send)


def _held(scope: Scope, receive: Receive, slot: Slot) -> Receive:
    """Return a way to receive that counts in ``slot`` how many bytes the request holds by now."""

    async def held() -> Message:
        message = await receive()
        slot.hold(received_body(scope).byte_count)
        return message

    return held
