"""Who stands there: known or unknown, ranked candidates, a claimed identity, two photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from app.domain.calibration import gallery_posterior, pair_probability
from app.domain.decision import Evidence, decide, decide_claims
from app.domain.embeddings import Embedding, similarity
from app.domain.employees import Employee, EmployeeStatus
from app.domain.errors import CardNotFoundError, EmployeeSuspendedError, NoCurrentPhotoError
from app.domain.faces import ENROLLMENT_LIMITS, QualityLimits
from app.domain.matching import GallerySimilarities, most_probable
from app.domain.model_manifest import ModelManifest
from app.domain.verdict import Verdict, next_step
from app.services.answers import Candidate, ClaimVerification, Identification, PairComparison
from app.services.employees import require_employee
from app.services.extraction import FaceExtraction, SeveralFaces
from app.services.gallery import Gallery
from app.services.policy import DecisionPolicy
from app.services.ports import GalleryIndex, LivenessCheck, Registry, RegistrySession
from app.services.scenes import Scene, SceneReader, SeenFace
from app.services.usable_photos import centroid_of

MIN_CANDIDATES = 10  # candidates that are read at least: the first of them may be gone


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
        wanted_quality: QualityLimits = ENROLLMENT_LIMITS,
    ) -> None:
        """Use faces within ``limits``; one below ``wanted_quality`` is worth a second look."""
        self._scenes = SceneReader(extraction, manifest.calibration, limits, liveness)
        self._extraction = extraction
        self._registry = registry
        self._gallery = gallery
        self._manifest = manifest
        self._policy = policy
        self._limits = limits
        self._wanted_quality = wanted_quality

    def identify(self, content: bytes | Scene, limit: int, several: SeveralFaces) -> Identification:
        """Rank the employees nearest to the face; raises as ``SceneReader.read`` does."""
        face = self._scenes.read(content, several)
        with self._registry.session() as session:
            self._gallery.refresh(session)
            compared = self._gallery.index.compare_all(face.embedding)
            evidence = Evidence.of(compared, self._manifest.calibration, face.frames_used)
            probabilities, nobody = gallery_posterior(
                self._manifest.calibration.supported(evidence.ratios[0]),
                self._policy.prior_unknown,
            )
            people = _ComparedPeople(session, self._gallery.index, face, evidence, probabilities)
            order = most_probable(evidence.ratios[0], evidence.keys, max(limit, MIN_CANDIDATES))
            looked_at = evidence.keys[order].tolist()
            ranked = people.candidates(looked_at)
            # Who was suspended or deleted since the index answered is no candidate any more, and
            # where nobody is left of those who were looked at, nobody further down is taken.
            gone = set(looked_at if ranked else evidence.keys.tolist()) - ranked.keys()
            threshold = partial(
                self._policy.identify, len(evidence.keys), fused=face.frames_used > 1
            )
            (decision,) = decide(
                evidence.without(gone),
                lambda photos: threshold(photos=photos).threshold.similarity,
                lambda key: session.look_alikes_of([key]).get(key, ()),
            )
            contenders = people.candidates(decision.contenders)
        candidates = tuple(ranked.values())[:limit]
        best = None if decision.person is None else ranked[decision.person]
        photos = None if decision.person is None else people.photos_of(decision.person)
        return Identification(
            candidates=candidates,
            unknown_probability=nobody,
            others_probability=max(0.0, 1.0 - nobody - sum(one.probability for one in candidates)),
            threshold=threshold(photos=photos).threshold,
            face=face,
            verdict=decision.verdict,
            next_step=next_step(
                decision.verdict,
                best.probability if best else 0.0,
                face.quality,
                self._wanted_quality,
            ),
            contenders=tuple(contenders.values()),
        )

    def verify_claim(
        self, employee_id: str, content: bytes | Scene, several: SeveralFaces
    ) -> ClaimVerification:
        """Compare the face with one claimed employee, and with who is recorded to look alike.

        A look-alike changes no acceptance, only what to do next: a face that is nearly as probably
        the look-alike's asks for a second factor. Raises ``EmployeeNotFoundError``,
        ``EmployeeSuspendedError``, ``NoCurrentPhotoError`` for one without photos of this model,
        and as ``SceneReader.read`` does.
        """
        with self._registry.session() as session:
            _require_active(session, employee_id)  # before the photo costs anything
        face = self._scenes.read(content, several)
        with self._registry.session() as session:
            employee = _require_active(session, employee_id)  # it may have waited for its permit
            alike = session.look_alikes_of([employee.key]).get(employee.key, frozenset())
            compared = self._compare_stored(session, face.embedding, [employee.key, *sorted(alike)])
            if employee.key not in compared.employee_keys:
                self._refuse_unseen(session, employee)
        evidence = Evidence.of(compared, self._manifest.calibration, face.frames_used)
        fused = face.frames_used > 1
        (decision,) = decide_claims(
            evidence,
            [employee.key],
            lambda photos: self._policy.verify(fused=fused, photos=photos).threshold.similarity,
            {employee.key: alike}.__getitem__,
        )
        column = int(np.searchsorted(evidence.keys, employee.key))
        photos = int(evidence.photo_counts[column])
        probability = self._pair_probability(evidence, column)
        return ClaimVerification(
            employee=employee,
            accepted=decision.verdict is not Verdict.UNKNOWN,
            next_step=next_step(decision.verdict, probability, face.quality, self._wanted_quality),
            similarity=float(evidence.similarities[0, column]),
            probability=probability,
            threshold=self._policy.verify(fused=fused, photos=photos).threshold,
            face=face,
        )

    def _compare_stored(
        self, session: RegistrySession, face: Embedding, keys: Sequence[int]
    ) -> GallerySimilarities:
        """Compare the face with these employees, whatever their status, but who has no centroid."""
        found: list[tuple[int, float, int]] = []
        for key in keys:
            photos = self._gallery.photos.of_employee(session, key)
            middle = centroid_of(photos) if photos else None
            if middle is not None:
                found.append((key, similarity(face, middle), len(photos)))
        compared, scores, counts = zip(*found, strict=True) if found else ((), (), ())
        return GallerySimilarities(
            np.asarray(compared, np.int64), np.asarray(scores, float), np.asarray(counts, np.int64)
        )

    def _refuse_unseen(self, session: RegistrySession, employee: Employee) -> NoReturn:
        version = self._gallery.model_version
        count = sum(one.model_version == version for one in session.list_photos(employee.key))
        message = f"{employee.employee_id!r} has no photo of the present model"
        if count:
            message = (
                f"none of the {count} photos of {employee.employee_id!r} can be used: enroll anew"
            )
        raise NoCurrentPhotoError(message)

    def verify_card(
        self, card_number: str, content: bytes | Scene, several: SeveralFaces
    ) -> ClaimVerification:
        """Compare the face with the employee with this card, as ``verify_claim`` does.

        Raises ``CardNotFoundError``, also where the card changed hands while the photo was looked
        at, and what ``verify_claim`` raises.
        """
        with self._registry.session() as session:
            employee_id = _require_card(session, card_number).employee_id
        result = self.verify_claim(employee_id, content, several)
        if result.employee.card_number != card_number:
            raise CardNotFoundError(card_number)
        return result

    def compare(self, first: bytes, second: bytes, several: SeveralFaces) -> PairComparison:
        """Compare the faces of two photos; raises ``PhotoError``."""
        faces = (
            self._extraction.extract(first, self._limits, several),
            self._extraction.extract(second, self._limits, several),
        )
        score = similarity(faces[0].embedding, faces[1].embedding)
        pair = GallerySimilarities(np.zeros(1, np.int64), np.array([score]), np.ones(1, np.int64))
        evidence = Evidence.of(pair, self._manifest.calibration)
        threshold = self._policy.verify(photos=1).threshold
        (decision,) = decide_claims(evidence, [0], lambda _: threshold.similarity, lambda _: ())
        return PairComparison(
            same=decision.verdict is Verdict.KNOWN,
            similarity=score,
            probability=self._pair_probability(evidence, 0),
            threshold=threshold,
            faces=faces,
        )

    def _pair_probability(self, evidence: Evidence, column: int) -> float:
        """Return the probability that the probe is the one at ``column``, of those two alone."""
        ratio = self._manifest.calibration.supported(evidence.ratios[0])[column]
        return pair_probability(float(ratio), self._policy.prior_same)


@dataclass(frozen=True)
class _ComparedPeople:
    """The people that a face was compared with, as registry and index have them now."""

    session: RegistrySession
    index: GalleryIndex
    face: SeenFace
    evidence: Evidence
    probabilities: npt.NDArray[np.float64]

    def candidates(self, keys: Sequence[int]) -> dict[int, Candidate]:
        """Return those who are active and enrolled still, by key, in the order of ``keys``."""
        if not keys:
            return {}
        employees = self.session.employees_by_key(keys)
        closest = self.index.closest_photos(self.face.embedding, keys)
        return {
            key: Candidate(
                employees[key],
                float(self.evidence.similarities[0, column]),
                closest[key],
                float(self.probabilities[column]),
            )
            for key, column in zip(keys, self._columns(keys), strict=True)
            if key in closest
            and key in employees
            and employees[key].status is EmployeeStatus.ACTIVE
        }

    def photos_of(self, key: int) -> int:
        """Return how many photos this person has in the index."""
        (column,) = self._columns([key])
        return int(self.evidence.photo_counts[column])

    def _columns(self, keys: Sequence[int]) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.evidence.keys, np.asarray(keys, np.int64))


def _require_card(session: RegistrySession, card_number: str) -> Employee:
    employee = session.find_employee_by_card(card_number)
    if employee is None:
        raise CardNotFoundError(card_number)
    return employee


def _require_active(session: RegistrySession, employee_id: str) -> Employee:
    employee = require_employee(session, employee_id)
    if employee.status is not EmployeeStatus.ACTIVE:
        raise EmployeeSuspendedError(f"{employee_id!r} is suspended")
    return employee
