"""The API key, where the service has one."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.http.problems import UNAUTHENTICATED, ApiError

GUARDED = "/v1/"

_header = APIKeyHeader(name="x-api-key", auto_error=False, description="The service's API key.")
_bearer = HTTPBearer(auto_error=False, description="The service's API key as a bearer token.")


def check_key(headers: Headers, expected: str | None) -> None:
    """Let headers pass that carry the key, or any where the service has none."""
    if not has_key(headers, expected):
        detail = "send the key as x-api-key or as a bearer token"
        raise ApiError(UNAUTHENTICATED, detail, {"WWW-Authenticate": "Bearer"})


def has_key(headers: Headers, expected: str | None) -> bool:
    """Return whether headers carry the key; any do where the service has none."""
    if expected is None:
        return True
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    return hmac.compare_digest(given.encode(), expected.encode())


class KeyMiddleware:
    """Refuses before the body is read: FastAPI parses a route's body before its dependencies."""

    def __init__(self, app: ASGIApp, key: str | None) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.removeprefix(scope.get("root_path", "")).startswith(GUARDED):
                check_key(Headers(scope=scope), self._key)
        await self._app(scope, receive, send)


async def require_key(
    request: Request,
    _key: Annotated[str | None, Depends(_header)],
    _token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Name the key in OpenAPI, and hold a route to it that lies outside the guarded paths."""
    check_key(request.headers, request.app.state.api_key)
