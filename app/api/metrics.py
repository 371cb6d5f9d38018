"""Prometheus metrics: of exchanges and of decisions, never of people."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.door_metrics import DoorMetrics
from app.api.policy_metrics import Promises, expose_promises

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: HTTP lets a method be any word, and every label that is met stays for ever.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_SIMILARITIES = tuple(step / 20 for step in range(-4, 20))


class ServiceMetrics:
    """The service's own registry of metrics."""

    def __init__(self, gallery_size: Callable[[], int], promises: Promises) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "facegate_http_requests",
            "Requests by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "facegate_http_request_seconds",
            "Time from request to last byte, by route.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.decisions = Counter(
            "facegate_decisions",
            "Decisions by kind of question and answer.",
            ["question", "decision"],
            registry=self.registry,
        )
        self.similarity = Histogram(
            "facegate_nearest_similarity",
            "Similarity to the nearest employee or the claimed one, by question.",
            ["question"],
            buckets=_SIMILARITIES,
            registry=self.registry,
        )
        self.doors = DoorMetrics(self.registry)
        gallery = Gauge(
            "facegate_gallery_employees", "Employees that can be found.", registry=self.registry
        )
        gallery.set_function(gallery_size)

        expose_promises(promises, self.registry)

    def decided(self, question: str, decision: str, similarity: float | None) -> None:
        """Count one decision."""
        self.decisions.labels(question, decision).inc()
        if similarity is not None:
            self.similarity.labels(question).observe(similarity)

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)


class MetricsMiddleware:
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
