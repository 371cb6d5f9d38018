"""From what was recognised to the shapes of answers."""

from __future__ import annotations

from typing import TypedDict

from app.api.employees.presenters import employee_body
from app.api.photos.presenters import face_body
from app.api.photos.schemas import FaceBody
from app.api.recognition import schemas
from app.domain.verdict import NextStep
from app.services.answers import Candidate, ClaimVerification, Identification, PairComparison
from app.services.scenes import Liveness, SeenFace


class SceneFields(TypedDict):
    """What every answer about a scene before the camera holds."""

    next_step: NextStep
    threshold: float
    face: FaceBody
    frames: list[schemas.FrameBody]
    liveness: Liveness
    model_version: str
    request_id: str


def verify_response(
    found: Identification, model_version: str, request_id: str
) -> schemas.VerifyResponse:
    """Return which employee the face belongs to, if any."""
    known = found.known
    return schemas.VerifyResponse(
        decision=found.verdict,
        employee=employee_body(known.employee) if known else None,
        contenders=_contenders(found),
        similarity=nearest_similarity(found),
        probability=found.probability,
        threshold_false_match_rate=found.threshold.false_match_rate,
        **_scene_fields(found, model_version, request_id),
    )


def identify_response(
    found: Identification, prior_unknown: float, model_version: str, request_id: str
) -> schemas.IdentifyResponse:
    """Return the candidates, ranked from 1."""
    return schemas.IdentifyResponse(
        decision=found.verdict,
        contenders=_contenders(found),
        candidates=[
            _candidate(rank, candidate) for rank, candidate in enumerate(found.candidates, start=1)
        ],
        unknown_probability=found.unknown_probability,
        others_probability=found.others_probability,
        prior_unknown=prior_unknown,
        **_scene_fields(found, model_version, request_id),
    )


def claim_response(
    result: ClaimVerification, model_version: str, request_id: str
) -> schemas.ClaimResponse:
    """Return whether the face is the claimed employee's."""
    return schemas.ClaimResponse(
        decision="match" if result.accepted else "no_match",
        employee=employee_body(result.employee),
        similarity=result.similarity,
        probability=result.probability,
        threshold_false_match_rate=result.threshold.false_match_rate,
        **_scene_fields(result, model_version, request_id),
    )


def compare_response(
    result: PairComparison, model_version: str, request_id: str
) -> schemas.CompareResponse:
    """Return whether two photos show the same person."""
    return schemas.CompareResponse(
        decision="same" if result.same else "different",
        similarity=result.similarity,
        probability=result.probability,
        threshold=result.threshold.similarity,
        threshold_false_match_rate=result.threshold.false_match_rate,
        faces=[face_body(face) for face in result.faces],
        model_version=model_version,
        request_id=request_id,
    )


def nearest_similarity(found: Identification) -> float | None:
    """Return the similarity to the most probable employee; None where nobody can be found."""
    return found.candidates[0].similarity if found.candidates else None


def _scene_fields(
    result: Identification | ClaimVerification, model_version: str, request_id: str
) -> SceneFields:
    return SceneFields(
        next_step=result.next_step,
        threshold=result.threshold.similarity,
        face=face_body(result.face),
        frames=_frame_bodies(result.face),
        liveness=result.face.liveness,
        model_version=model_version,
        request_id=request_id,
    )


def _contenders(found: Identification) -> list[str]:
    return [candidate.employee.employee_id for candidate in found.contenders]


def _candidate(rank: int, candidate: Candidate) -> schemas.CandidateBody:
    return schemas.CandidateBody(
        rank=rank,
        employee=employee_body(candidate.employee),
        similarity=candidate.similarity,
        closest_photo_similarity=candidate.closest_photo_similarity,
        probability=candidate.probability,
    )


def _frame_bodies(face: SeenFace) -> list[schemas.FrameBody]:
    """Return what became of every frame, in their order."""
    return [
        schemas.FrameBody(
            position=frame.position, used=frame.used, code=frame.code, hint=frame.hint
        )
        for frame in face.frames
    ]
