"""What each door sees, as metrics: verdicts, similarities, quality; no pictures, no embeddings."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.domain.errors import RefusedAttemptError
from app.domain.faces import FaceQuality

#: Every label value that is met stays for ever, so that there is a last one.
MAX_DOORS = 32
OTHER_DOORS = "other"
#: Of requests that name no door.
NO_DOOR = "unnamed"

_SIMILARITIES = tuple(step / 20 for step in range(20))
_PIXELS = (24, 32, 40, 50, 60, 80, 100, 130, 160, 200, 250, 320, 400, 640)
_SHARPNESS = (15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500, 1000, 2000)
_BRIGHTNESS = tuple(range(40, 240, 10))


class DoorMetrics:
    """Histograms by door. Of doors beyond ``max_doors`` all are counted as one."""

    def __init__(self, registry: CollectorRegistry, max_doors: int = MAX_DOORS) -> None:
        self._max_doors = max_doors
        self._doors: set[str] = set()
        self._lock = threading.Lock()
        self.verdicts = Counter(
            "facegate_door_verdicts",
            "Decisions by door, kind of question and answer.",
            ["door", "question", "decision"],
            registry=registry,
        )
        self.refused = Counter(
            "facegate_door_refused_photos",
            "Photos at a door in which no face could be used, by reason code.",
            ["door", "code"],
            registry=registry,
        )
        self.attempts = Counter(
            "facegate_door_refused_attempts",
            "Attempts at a door refused for how they were made, by reason code.",
            ["door", "code"],
            registry=registry,
        )
        for door in (NO_DOOR, OTHER_DOORS):
            self._begin_attempts(door)
        self.similarity = Histogram(
            "facegate_door_similarity",
            "Similarity to the nearest employee or the claimed one, by door and answer.",
            ["door", "decision"],
            buckets=_SIMILARITIES,
            registry=registry,
        )
        self.pixels = self._quality("face_pixels", "Shorter side of the face.", _PIXELS, registry)
        self.sharpness = self._quality(
            "sharpness", "Variance of the Laplacian of the face.", _SHARPNESS, registry
        )
        self.brightness = self._quality(
            "brightness", "Mean luma of the face, 0 to 255.", _BRIGHTNESS, registry
        )

    def saw(
        self,
        door: str,
        question: str,
        decision: str,
        similarity: float | None,
        quality: FaceQuality,
    ) -> None:
        """Count one decision at a door."""
        name = self._label(door)
        self.verdicts.labels(name, question, decision).inc()
        if similarity is not None:
            self.similarity.labels(name, decision).observe(similarity)
        self.pixels.labels(name).observe(quality.size_pixels)
        self.sharpness.labels(name).observe(quality.sharpness)
        self.brightness.labels(name).observe(quality.brightness)

    def refused_photo(self, door: str, code: str) -> None:
        """Count a photo at a door that could not be used."""
        self.refused.labels(self._label(door), code).inc()

    def refused_attempt(self, door: str, code: str) -> None:
        """Count an attempt at a door that was refused for how it was made."""
        self.attempts.labels(self._label(door), code).inc()

    def _label(self, door: str) -> str:
        with self._lock:
            if door not in self._doors and len(self._doors) >= self._max_doors:
                return OTHER_DOORS
            if door not in self._doors:
                self._doors.add(door)
                self._begin_attempts(door)
            return door

    def _begin_attempts(self, door: str) -> None:
        """Expose 0 before the first attempt: a rate misses what a series begins with."""
        for code in sorted(error.code for error in RefusedAttemptError.__subclasses__()):
            self.attempts.labels(door, code)

    @staticmethod
    def _quality(
        name: str, meaning: str, buckets: tuple[float, ...], registry: CollectorRegistry
    ) -> Histogram:
        return Histogram(
            f"facegate_door_{name}", meaning, ["door"], buckets=buckets, registry=registry
        )
