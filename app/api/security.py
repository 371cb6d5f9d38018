"""The API key, where the service has one."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from app.api.problems import UNAUTHENTICATED, ApiError

_header = APIKeyHeader(name="x-api-key", auto_error=False, description="The service's API key.")
_bearer = HTTPBearer(auto_error=False, description="The service's API key as a bearer token.")


def require_key(
    request: Request,
    header: Annotated[str | None, Depends(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let a request pass that carries the key, or any where the service has none."""
    expected: str | None = request.app.state.api_key
    if expected is None:
        return
    given = header or (bearer.credentials if bearer else "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ApiError(UNAUTHENTICATED, "send the key as x-api-key or as a bearer token")
