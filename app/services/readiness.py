"""Readiness: everything that a decision and an enrollment need, really tried."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.embeddings import Embedding, similarity
from app.domain.employees import LeftOut
from app.domain.errors import BusyError
from app.domain.faces import QualityLimits
from app.services.extraction import FaceExtraction, SeveralFaces
from app.services.gallery import Gallery, unseen_people
from app.services.ports import Registry
from app.services.probes import ComponentReport, Finding, Probe

MIN_REPEATED_SIMILARITY = 0.999
#: The probe is no employee's photo: whatever it measures, it must be recognised.
NO_LIMITS = QualityLimits(
    min_size_pixels=0.0,
    min_sharpness=0.0,
    max_clipped_shadows=1.0,
    max_clipped_highlights=1.0,
    min_contrast_to_noise=0.0,
    max_yaw_degrees=90.0,
    max_pitch_degrees=90.0,
    min_inside_share=0.0,
    min_proportion=0.0,
    max_proportion=math.inf,
)
#: All checks together; the answer is to come within 2 s, whatever hangs.
ANSWER_SECONDS = 1.5
#: A recognition on a busy machine, or an index of many people being built, is slow and no fault.
SLOW_SECONDS = 10.0
#: So is a write to a disk that others write to.
SLOW_DISK_SECONDS = 3.0
#: Any caller may ask: as often as this the disk is written to, and not more.
WRITE_SECONDS = 1.0
_TEMPORARY_BYTES = 64 * 1024


@dataclass(frozen=True)
class ReadinessReport:
    """What was tried, and whether it worked; ``left_out``: photos that are in no comparison."""

    components: tuple[ComponentReport, ...]
    employees: int
    left_out: tuple[LeftOut, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether every component works."""
        return all(one.ok for one in self.components)

    def works(self, name: str) -> bool:
        """Return whether the component of this name works."""
        return all(one.ok for one in self.components if one.name == name)

    @property
    def detail(self) -> str:
        """What is wrong with which component, and what else an administrator should know."""
        faults = [f"{one.name}: {one.detail}" for one in self.components if not one.ok]
        return "; ".join(faults + [note for one in self.components for note in one.notes])


class Readiness:
    """Tries what the service lives by; each part on a thread of its own, for any of them may hang.

    ``recognition``: a stored picture of a person who does not exist, from bytes to ranking.
    ``registry``: a write to the database and a read. ``index``: that it says what the registry
    says; one that lags behind another writer is brought up to date, which is no fault.
    ``gallery``: that somebody can be found where somebody is enrolled. ``temporary folder``: where
    uploads wait while they are read.
    """

    def __init__(
        self,
        extraction: FaceExtraction,
        gallery: Gallery,
        registry: Registry,
        probe_photo: bytes,
        fresh_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Recognise the probe once; raises ``FacegateError`` where that is impossible.

        ``extraction`` should admit work of its own, so that checks and doors do not compete.
        """
        self._extraction = extraction
        self._gallery = gallery
        self._registry = registry
        self._probe_photo = probe_photo
        self._clock = clock
        self._busy_since: float | None = None
        self._enrolled_and_unseen: tuple[str, ...] = ()
        self._expected = self._recognise()
        recognition = Probe("recognition", self._recognition, fresh_seconds, SLOW_SECONDS, clock)
        recognition.passed()
        self._probes = (
            recognition,
            Probe("registry", self._registry_works, WRITE_SECONDS, SLOW_DISK_SECONDS, clock),
            Probe("index", self._index, 0.0, SLOW_SECONDS, clock),
            Probe(
                "temporary folder", write_temporary_file, WRITE_SECONDS, SLOW_DISK_SECONDS, clock
            ),
        )

    def check(self) -> ReadinessReport:
        """Try everything, or say of what hangs that it does."""
        deadline = time.monotonic() + ANSWER_SECONDS
        for probe in self._probes:
            probe.begin()
        found = [probe.report(max(0.0, deadline - time.monotonic())) for probe in self._probes]
        return ReadinessReport(
            (*found, self._gallery_report()),
            self._gallery.index.size,
            self._gallery.left_out,
        )

    def _recognition(self) -> Finding:
        if similarity(self._recognise(), self._expected) < MIN_REPEATED_SIMILARITY:
            return Finding("the same photo no longer gives the same embedding")
        return Finding()

    def _recognise(self) -> Embedding:
        face = self._extraction.extract(self._probe_photo, NO_LIMITS, SeveralFaces.LARGEST)
        self._gallery.index.compare_all(face.embedding)
        return face.embedding

    def _registry_works(self) -> Finding:
        try:
            self._registry.probe()
        except BusyError:
            # A long enrollment holds SQLite's only lock for a moment; longer is a fault.
            now = self._clock()
            if self._busy_since is None:
                self._busy_since = now
            held = now - self._busy_since
            message = f"another writer has held the database for {held:.0f} s"
            return Finding(message) if held > SLOW_SECONDS else Finding(notes=(message,))
        self._busy_since = None
        return Finding()

    def _index(self) -> Finding:
        """Bring the index up to date, and note who is enrolled and cannot be found."""
        with self._registry.session() as session:
            self._gallery.refresh(session)
            unseen = self._gallery.count_unseen(session)
        notes = []
        if unseen:
            notes.append(unseen_people(unseen, self._gallery.model_version))
        if left_out := len(self._gallery.left_out):
            notes.append(f"{left_out} stored photos are left out of every comparison: see left_out")
        self._enrolled_and_unseen = tuple(notes)
        return Finding()

    def _gallery_report(self) -> ComponentReport:
        notes = self._enrolled_and_unseen
        if notes and self._gallery.index.size == 0:
            return ComponentReport("gallery", False, f"nobody can be recognised: {notes[0]}")
        return ComponentReport("gallery", True, "", notes)


def write_temporary_file() -> Finding:
    """Write to the temporary folder as an upload does; raises ``OSError``."""
    with tempfile.TemporaryFile() as file:
        file.write(bytes(_TEMPORARY_BYTES))
        file.flush()
    return Finding()
