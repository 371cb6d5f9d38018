"""The service's own registry of Prometheus metrics: exchanges and decisions, never people."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.api.metrics.doors import DoorMetrics
from app.api.metrics.promises import Promises, expose_promises
from app.domain.faces import FaceQuality

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
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
        """Count one decision that was made at no door."""
        self.decisions.labels(question, decision).inc()
        if similarity is not None:
            self.similarity.labels(question).observe(similarity)

    def decided_at(
        self,
        door: str,
        question: str,
        decision: str,
        similarity: float | None,
        quality: FaceQuality,
    ) -> None:
        """Count one decision, for the service and for the door it came from."""
        self.decided(question, decision, similarity)
        self.doors.saw(door, question, decision, similarity, quality)

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)
