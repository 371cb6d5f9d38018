"""Readiness: a real recognition, and an index that says what the registry says."""

from __future__ import annotations

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
    """Recognises a stored picture of a person who does not exist, from bytes to ranking."""

    def __init__(self, extraction: FaceExtraction, gallery: Gallery, probe_photo: bytes) -> None:
        """Recognise the probe once; raises ``FacegateError`` where that is impossible."""
        self._extraction = extraction
        self._gallery = gallery
        self._probe_photo = probe_photo
        self._expected = self._recognise()

    def _recognise(self) -> Embedding:
        face = self._extraction.extract(self._probe_photo, NO_LIMITS, SeveralFaces.LARGEST)
        self._gallery.index.rank(face.embedding, 1)
        return face.embedding

    def check(self) -> ReadinessReport:
        """Try everything that a decision needs.

        An index that is out of date is red now and rebuilt at once, so that it is green next time.
        """
        current = self._gallery.is_current()
        if not current:
            self._gallery.rebuild()
        detail = "" if current else "the index was out of date and has been rebuilt"
        try:
            recognised = similarity(self._recognise(), self._expected) >= MIN_REPEATED_SIMILARITY
            if not recognised:
                detail = "the same photo no longer gives the same embedding"
        except FacegateError as error:
            recognised, detail = False, str(error)
        return ReadinessReport(
            ready=recognised and current,
            recognition=recognised,
            index_current=current,
            employees=self._gallery.index.size,
            detail=detail,
        )
