"""Counts and times every exchange."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.metrics.service import ServiceMetrics

#: HTTP lets a method be any word, and every label that is met stays for ever.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class ExchangeMetricsMiddleware:
    """Counts and times every exchange by its route, not by its path: paths hold employee ids."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        finally:
            state = scope.get("state", {}).get("facegate")
            if state is not None:
                route = getattr(scope.get("route"), "path", "unmatched")
                metrics: ServiceMetrics = state.metrics
                method = scope["method"] if scope["method"] in _METHODS else "other"
                metrics.requests.labels(route, method, str(status)).inc()
                metrics.seconds.labels(route).observe(time.perf_counter() - started)
