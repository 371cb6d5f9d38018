"""Who stands there: known or unknown, ranked candidates, a claimed identity, two photos."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from app.domain.calibration import gallery_posterior, pair_probability
from app.domain.embeddings import centroid, similarity
from app.domain.employee_errors import EmployeeSuspendedError, NoCurrentPhotoError
from app.domain.employees import Employee, EmployeeStatus
from app.domain.faces import ENROLLMENT_LIMITS, QualityLimits
from app.domain.matching import most_probable
from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.verdict import NextStep, Verdict, judge, next_step
from app.services.employees import require_employee
from app.services.extraction import ExtractedFace, FaceExtraction, SeveralFaces
from app.services.gallery import Gallery
from app.services.policy import DecisionPolicy
from app.services.ports import LivenessCheck, Registry, RegistrySession
from app.services.scenes import Scene, SceneReader, SeenFace

LOOKED_AT = 10  # candidates that are read at least, to find a look-alike of the first among them


@dataclass(frozen=True)
class Candidate:
    """One employee, how near the face is, and how probable it is that this is the person."""

    employee: Employee
    similarity: float
    closest_photo_similarity: float
    probability: float


@dataclass(frozen=True)
class Identification:
    """Candidates, the most probable first.

    Their probabilities, ``others_probability`` and nobody's sum to one. ``contenders`` are the two
    that cannot be told apart where the verdict is ambiguous.
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
    """A claimed identity, accepted or not."""

    employee: Employee
    accepted: bool
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


class Recognition:
    """The use cases behind verify, identify and compare."""

    def __init__(
        self,
        extraction: FaceExtraction,
        registry: Registry,
        gallery: Gallery,
        manifest: ModelManifest,
        policy: DecisionPolicy,
        limits: QualityLimits,
        liveness: LivenessCheck | None = None,
    ) -> None:
        self._scenes = SceneReader(extraction, manifest.calibration, limits, liveness)
        self._extraction = extraction
        self._registry = registry
        self._gallery = gallery
        self._manifest = manifest
        self._policy = policy
        self._limits = limits
        self._wanted_quality = ENROLLMENT_LIMITS

    def identify(self, content: bytes | Scene, limit: int, several: SeveralFaces) -> Identification:
        """Rank the employees nearest to the face; raises as ``SceneReader.read`` does."""
        face = self._scenes.read(content, several)
        with self._registry.session() as session:
            self._gallery.bring_up_to_date(session)
            index = self._gallery.index
            everyone = index.compare_all(face.embedding)
            ratios = self._manifest.calibration.log_likelihood_ratios(
                everyone.similarities, everyone.photo_counts, face.frames_used
            )
            order = most_probable(ratios, everyone.employee_keys, max(limit, LOOKED_AT)).tolist()
            keys = everyone.employee_keys[order].tolist()
            employees = session.employees_by_key(keys)
            closest = index.closest_photos(face.embedding, keys)
            probabilities, nobody = gallery_posterior(ratios, self._policy.prior_unknown)
            ranked = tuple(
                Candidate(
                    employees[key],
                    float(everyone.similarities[position]),
                    closest[key],
                    float(probabilities[position]),
                )
                for position, key in zip(order, keys, strict=True)
                # Who was suspended or deleted since the index answered is no candidate any more.
                if key in closest
                and key in employees
                and employees[key].status is EmployeeStatus.ACTIVE
            )
            alike = _look_alikes(session, ranked)
        candidates = ranked[:limit]
        listed = sum(candidate.probability for candidate in candidates)
        threshold = self._policy.identify(len(ratios), fused=face.frames_used > 1).threshold
        best = ranked[0] if ranked else None
        rival = _rival(ranked, alike, threshold.similarity)
        suspended = any(one.status is EmployeeStatus.SUSPENDED for one in alike.values())
        verdict = judge(
            best.similarity if best else None,
            threshold.similarity,
            _margin(ranked),
            look_alike=rival is not None or suspended,
        )
        step = next_step(
            verdict, best.probability if best else 0.0, face.quality, self._wanted_quality
        )
        return Identification(
            candidates=candidates,
            unknown_probability=nobody,
            others_probability=max(0.0, 1.0 - nobody - listed),
            threshold=threshold,
            face=face,
            verdict=verdict,
            next_step=step,
            contenders=_contenders(ranked, rival) if verdict is Verdict.AMBIGUOUS else (),
        )

    def verify_claim(
        self, employee_id: str, content: bytes | Scene, several: SeveralFaces
    ) -> ClaimVerification:
        """Compare the face with one claimed employee.

        Raises ``EmployeeNotFoundError``, ``EmployeeSuspendedError``, ``NoCurrentPhotoError`` for
        one without photos of this model, and as ``SceneReader.read`` does.
        """
        with self._registry.session() as session:
            _require_active(session, employee_id)  # before the photo costs anything
        face = self._scenes.read(content, several)
        with self._registry.session() as session:
            employee = _require_active(session, employee_id)  # it may have waited for its turn
            photos = session.photo_embeddings(employee.key, self._manifest.model_version)
        if not photos:
            raise NoCurrentPhotoError(f"{employee_id!r} has no photo of the present model")
        middle = centroid([embedding for _, embedding in photos])
        score = similarity(face.embedding, middle)
        threshold = self._policy.verify(fused=face.frames_used > 1).threshold
        return ClaimVerification(
            employee=employee,
            accepted=score >= threshold.similarity,
            similarity=score,
            probability=self._pair_probability(score, len(photos), face.frames_used),
            threshold=threshold,
            face=face,
        )

    def compare(self, first: bytes, second: bytes, several: SeveralFaces) -> PairComparison:
        """Compare the faces of two photos; raises ``PhotoError``."""
        faces = (
            self._extraction.extract(first, self._limits, several),
            self._extraction.extract(second, self._limits, several),
        )
        score = similarity(faces[0].embedding, faces[1].embedding)
        threshold = self._policy.verify().threshold
        return PairComparison(
            same=score >= threshold.similarity,
            similarity=score,
            probability=self._pair_probability(score, 1),
            threshold=threshold,
            faces=faces,
        )

    def _pair_probability(self, score: float, photo_count: int, frames: int = 1) -> float:
        (ratio,) = self._manifest.calibration.log_likelihood_ratios(
            np.asarray([score]), np.asarray([photo_count]), frames
        )
        return pair_probability(float(ratio), self._policy.prior_same)


def _look_alikes(session: RegistrySession, ranked: tuple[Candidate, ...]) -> dict[int, Employee]:
    """Return the recorded look-alikes of the first, whatever their status.

    A suspended one is in no index, and might now be taken for the first without a rival.
    """
    if not ranked:
        return {}
    key = ranked[0].employee.key
    return session.employees_by_key(sorted(session.look_alikes_of([key]).get(key, ())))


def _contenders(ranked: tuple[Candidate, ...], rival: Candidate | None) -> tuple[Candidate, ...]:
    """Return who cannot be told apart: the first, and the look-alike or the second if there is."""
    return (ranked[0], rival) if rival else ranked[:2]


def _rival(
    ranked: tuple[Candidate, ...], alike: Collection[int], threshold: float
) -> Candidate | None:
    """Return the first one's recorded look-alike, where it reaches the threshold as well."""
    rivals = (
        one for one in ranked[1:] if one.employee.key in alike and one.similarity >= threshold
    )
    return next(rivals, None)


def _margin(ranked: tuple[Candidate, ...]) -> float | None:
    """Return by how much the log likelihood ratio of the first exceeds that of the second.

    The prior is the same for everybody, so that it is the log of the quotient of probabilities.
    """
    if len(ranked) < 2:
        return None
    first, second = ranked[0].probability, ranked[1].probability
    return math.inf if second == 0 else math.log(first / second)


def _require_active(session: RegistrySession, employee_id: str) -> Employee:
    employee = require_employee(session, employee_id)
    if employee.status is not EmployeeStatus.ACTIVE:
        raise EmployeeSuspendedError(f"{employee_id!r} is suspended")
    return employee
