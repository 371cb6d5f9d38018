"""Keeps other web pages from using a service that asks for no key.

A browser on this machine reaches the loopback for any page it shows: with a plain form, or under a
name of the page's own that points here. Neither needs the page to be allowed anything.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.http.problems import FOREIGN_ORIGIN, ApiError


class LocalCallersMiddleware:
    """Refuses what another site's page sends, and every name of this service but the loopback's.

    Where ``any_host``, a gateway checks callers and may forward under any name. The pages of
    ``allowed_origins`` are let through.
    """

    def __init__(self, app: ASGIApp, any_host: bool, allowed_origins: Collection[str] = ()) -> None:
        self._app = app
        self._allowed_origins = frozenset(allowed_origins)
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            is_allowed = headers.get("origin") in self._allowed_origins
            if not is_allowed and _is_from_another_site(scope["method"], headers):
                raise ApiError(FOREIGN_ORIGIN, "another site's page may not use this service")
            if not self._any_host:
                _require_local_names(headers, is_allowed)
        await self._app(scope, receive, send)


def _is_from_another_site(method: str, headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        return False
    # A person who follows a link to /docs sees the page; the page with the link sees nothing of it.
    is_followed_link = (
        method in {"GET", "HEAD"}
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
    return not is_followed_link


def _require_local_names(headers: Headers, is_allowed_origin: bool) -> None:
    host = headers.get("host", "")
    if not _is_loopback(host):
        detail = "without FACEGATE_API_KEY the service is called localhost or 127.0.0.1 only"
        raise ApiError(FOREIGN_ORIGIN, detail)
    origin = headers.get("origin")
    if is_allowed_origin or origin is None:
        return
    if origin.partition("://")[2] != host:
        raise ApiError(FOREIGN_ORIGIN, "another site's page may not use this service")


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
