"""Lets the pages of named other sites call the service from a browser (CORS)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
REQUEST_HEADERS = ("authorization", "content-type", "x-api-key", "x-door", "x-request-id")
ANSWER_HEADERS = ("location", "retry-after", "x-request-id")


class AllowedOriginsMiddleware:
    """Answers the preflights of allowed origins, and marks what their pages may read.

    Preflights carry no key, so this stands outside of whatever asks for one. Those of other origins
    are answered like any request: by 403 without a key, else by 405.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._cors = CORSMiddleware(
            app,
            allow_origins=sorted(origins),
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
            # An operator who names an origin means it, also where the service is on the caller's
            # machine.
            allow_private_network=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_preflight = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if is_preflight and Headers(scope=scope).get("origin") not in self._origins:
            await self._app(scope, receive, send)
        else:
            await self._cors(scope, receive, send)
