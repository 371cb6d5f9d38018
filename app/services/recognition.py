"""Who stands there: known or unknown, ranked candidates, a claimed identity, two photos."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from app.domain.calibration import gallery_posterior, pair_probability
from app.domain.embeddings import centroid, similarity
from app.domain.employee_errors import (
    CardNotFoundError,
    EmployeeSuspendedError,
    NoCurrentPhotoError,
)
from app.domain.employees import Employee, EmployeeStatus
from app.domain.faces import ENROLLMENT_LIMITS, QualityLimits
from app.domain.matching import most_probable
from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.verdict import Verdict, judge, next_step
from app.services.answers import Candidate, ClaimVerification, Identification, PairComparison
from app.services.contenders import (
    any_unseen,
    contenders_of,
    look_alike_photos,
    margin_of_a_claim,
    margin_of_the_first,
    recorded_look_alikes,
    rival_of_the_first,
)
from app.services.employees import require_employee
from app.services.extraction import FaceExtraction, SeveralFaces
from app.services.gallery import Gallery
from app.services.policy import DecisionPolicy
from app.services.ports import LivenessCheck, Registry, RegistrySession
from app.services.scenes import Scene, SceneReader

LOOKED_AT = 10  # candidates that are read at least, to find a look-alike of the first among them


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
            alike = recorded_look_alikes(session, ranked)
        candidates = ranked[:limit]
        photos = dict(zip(keys, everyone.photo_counts[order].tolist(), strict=True))
        fused = face.frames_used > 1

        def asked(one: Candidate | None) -> Threshold:
            count = photos[one.employee.key] if one else None
            return self._policy.identify(len(ratios), fused=fused, photos=count).threshold

        best = ranked[0] if ranked else None
        threshold = asked(best)
        rival = rival_of_the_first(ranked, alike, asked)
        unseen = any_unseen(alike, everyone.employee_keys)
        verdict = judge(
            best.similarity if best else None,
            threshold.similarity,
            margin_of_the_first(ranked),
            look_alike=rival is not None or unseen,
        )
        step = next_step(
            verdict, best.probability if best else 0.0, face.quality, self._wanted_quality
        )
        return Identification(
            candidates=candidates,
            unknown_probability=nobody,
            others_probability=max(0.0, 1.0 - nobody - sum(one.probability for one in candidates)),
            threshold=threshold,
            face=face,
            verdict=verdict,
            next_step=step,
            contenders=contenders_of(ranked, rival) if verdict is Verdict.AMBIGUOUS else (),
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
            employee = _require_active(session, employee_id)  # it may have waited for its turn
            stored = self._gallery.photos.of_employee(session, employee.key)
            if not stored:
                self._refuse_unseen(session, employee)
            alike = look_alike_photos(session, employee.key, self._gallery.photos)
        photos = [embedding for _, embedding in stored]
        score = similarity(face.embedding, centroid(photos))
        probability = self._pair_probability(score, len(photos), face.frames_used)
        threshold = self._policy.verify(fused=face.frames_used > 1, photos=len(photos)).threshold
        margin = margin_of_a_claim(face, photos, alike, self._manifest.calibration)
        verdict = judge(score, threshold.similarity, margin)
        return ClaimVerification(
            employee=employee,
            accepted=verdict is not Verdict.UNKNOWN,
            next_step=next_step(verdict, probability, face.quality, self._wanted_quality),
            similarity=score,
            probability=probability,
            threshold=threshold,
            face=face,
        )

    def _refuse_unseen(self, session: RegistrySession, employee: Employee) -> NoReturn:
        version = self._gallery.model_version
        count = sum(one.model_version == version for one in session.list_photos(employee.key))
        said = f"{employee.employee_id!r} has no photo of the present model"
        if count:
            said = f"none of the {count} photos of {employee.employee_id!r} can be used: enrol anew"
        raise NoCurrentPhotoError(said)

    def verify_card(
        self, card_number: str, content: bytes | Scene, several: SeveralFaces
    ) -> ClaimVerification:
        """Compare the face with whoever has this card, as ``verify_claim`` does.

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
        threshold = self._policy.verify(photos=1).threshold
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
