"""What the questions about a face are answered with."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.employees import Employee
from app.domain.model_manifest import Threshold
from app.domain.verdict import NextStep, Verdict
from app.services.extraction import ExtractedFace
from app.services.scenes import SeenFace


@dataclass(frozen=True)
class Candidate:
    """One employee, how similar the face is, and how probable it is that this is the person."""

    employee: Employee
    similarity: float
    closest_photo_similarity: float
    probability: float


@dataclass(frozen=True)
class Identification:
    """Candidates, the most probable first.

    Their probabilities, ``others_probability`` and nobody's sum to one. ``contenders`` are those
    who cannot be told apart where the verdict is ambiguous: two, or the first alone where the other
    is a look-alike that no comparison saw (suspended, or without a photo of the present model).
    """

    candidates: tuple[Candidate, ...]
    unknown_probability: float
    others_probability: float
    threshold: Threshold
    face: SeenFace
    verdict: Verdict
    next_step: NextStep
    contenders: tuple[Candidate, ...] = ()

    @property
    def known(self) -> Candidate | None:
        """The employee who stands there, where that is sure."""
        return self.candidates[0] if self.verdict is Verdict.KNOWN else None

    @property
    def probability(self) -> float:
        """That of the verdict: this employee, nobody, or one of the contenders."""
        if self.verdict is Verdict.UNKNOWN:
            return self.unknown_probability
        chosen = self.contenders or self.candidates[:1]
        return min(1.0, sum(candidate.probability for candidate in chosen))


@dataclass(frozen=True)
class ClaimVerification:
    """A claimed identity, accepted or not; an accepted one may still need a second factor."""

    employee: Employee
    accepted: bool
    next_step: NextStep
    similarity: float
    probability: float
    threshold: Threshold
    face: SeenFace


@dataclass(frozen=True)
class PairComparison:
    """Two photos: the same person or not."""

    same: bool
    similarity: float
    probability: float
    threshold: Threshold
    faces: tuple[ExtractedFace, ExtractedFace]
