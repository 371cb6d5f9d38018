"""Readiness: a real recognition, and an index that says what the registry says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.embeddings import Embedding, similarity
from app.domain.errors import FacegateError
from app.domain.faces import QualityLimits
from app.services.extraction import FaceExtraction, SeveralFaces
from app.services.gallery import Gallery

MIN_REPEATED_SIMILARITY = 0.999
#: The probe is no employee's photo: whatever it measures, it must be recognised.
NO_LIMITS = QualityLimits(0.0, 0.0, 0.0, 255.0, 90.0, 90.0)


@dataclass(frozen=True)
class ReadinessReport:
    """What was tried, and whether it worked; ``detail`` is for the administrator."""

    ready: bool
    recognition: bool
    index_current: bool
    employees: int
    detail: str


class Readiness:
    """Recognises a stored picture of a person who does not exist, from bytes to ranking.

    Whoever asks costs little: one recognition at a time, whose result serves everyone for
    ``fresh_seconds``. The index is compared with the registry each time.
    """

    def __init__(
        self,
        extraction: FaceExtraction,
        gallery: Gallery,
        probe_photo: bytes,
        fresh_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Recognise the probe once; raises ``FacegateError`` where that is impossible.

        ``extraction`` should admit work of its own, so that checks and doors do not compete.
        """
        self._extraction = extraction
        self._gallery = gallery
        self._probe_photo = probe_photo
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._checking = threading.Lock()
        self._expected = self._recognise()
        self._fault, self._tried_at = "", clock()

    def check(self) -> ReadinessReport:
        """Try everything that a decision needs.

        An index that is out of date is red now and rebuilt at once, so that it is green next time.
        """
        current, detail = self._index_state()
        fault = self._recognition_fault()
        return ReadinessReport(
            ready=current and not fault,
            recognition=not fault,
            index_current=current,
            employees=self._gallery.index.size,
            detail=fault or detail,
        )

    def _index_state(self) -> tuple[bool, str]:
        try:
            if self._gallery.is_current():
                return True, self._said_of_gallery()
            self._gallery.rebuild()
        except FacegateError as error:
            return False, str(error)
        return False, "the index was out of date and has been rebuilt"

    def _said_of_gallery(self) -> str:
        return "; ".join(f"photo {one.photo_id}: {one.reason}" for one in self._gallery.left_out)

    def _recognition_fault(self) -> str:
        """Return what is wrong with recognition, or nothing; tried again once it is not fresh."""
        with self._checking:
            if self._clock() - self._tried_at > self._fresh_seconds:
                self._fault, self._tried_at = self._try_recognition(), self._clock()
            return self._fault

    def _try_recognition(self) -> str:
        try:
            likeness = similarity(self._recognise(), self._expected)
        except FacegateError as error:
            return str(error)
        if likeness < MIN_REPEATED_SIMILARITY:
            return "the same photo no longer gives the same embedding"
        return ""

    def _recognise(self) -> Embedding:
        face = self._extraction.extract(self._probe_photo, NO_LIMITS, SeveralFaces.LARGEST)
        self._gallery.index.compare_all(face.embedding)
        return face.embedding
