"""Claimed identities: is this the employee of that id, or of that card."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request

from app.api import schemas
from app.api.doors import Door
from app.api.identifiers import CardNumberInPath, EmployeeIdInPath
from app.api.presenters import employee_body, face_body, frame_bodies
from app.api.problems import problem_docs
from app.api.recognition_routes import SCENE_DOCS, SCENE_PROBLEMS, Faces, SceneUpload
from app.api.request_id import request_id_of
from app.api.state import AppState, State
from app.domain import employee_errors, errors
from app.services.answers import ClaimVerification
from app.services.extraction import SeveralFaces

router = APIRouter(prefix="/v1", tags=["recognition"])

CLAIM_PROBLEMS = (
    *SCENE_PROBLEMS,
    employee_errors.EmployeeSuspendedError,
    employee_errors.NoCurrentPhotoError,
)


@router.post(
    "/employees/{employee_id}/verify",
    summary="Is this the claimed employee",
    responses=problem_docs(*CLAIM_PROBLEMS, errors.EmployeeNotFoundError),
    openapi_extra=SCENE_DOCS,
)
def verify_claim(
    employee_id: EmployeeIdInPath,
    scene: SceneUpload,
    state: State,
    request: Request,
    door: Door,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.ClaimResponse:
    """Compare the face with one employee, as after a badge was read. A non-match is no error.

    `next_step` says what the door should do: a look-alike of the employee who was recorded at an
    enrolment may make a match ask for a second factor.
    """
    result = state.recognition.verify_claim(employee_id, scene, faces)
    return _claim_response(result, state, door, request)


@router.post(
    "/cards/{card_number}/verify",
    summary="Is this whoever the card belongs to",
    responses=problem_docs(
        *CLAIM_PROBLEMS, employee_errors.CardNotFoundError, errors.EmployeeNotFoundError
    ),
    openapi_extra=SCENE_DOCS,
)
def verify_card(
    card_number: CardNumberInPath,
    scene: SceneUpload,
    state: State,
    request: Request,
    door: Door,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.ClaimResponse:
    """Compare the face with the employee who has this card, for a reader that knows no ids.

    The answer is that of a claim by id; a card that nobody has is a 404 `card_not_found`.
    """
    result = state.recognition.verify_card(card_number, scene, faces)
    return _claim_response(result, state, door, request)


def _claim_response(
    result: ClaimVerification, state: AppState, door: str, request: Request
) -> schemas.ClaimResponse:
    decision: Literal["match", "no_match"] = "match" if result.accepted else "no_match"
    state.metrics.decided("claim", decision, result.similarity)
    state.metrics.doors.saw(door, "claim", decision, result.similarity, result.face.quality)
    return schemas.ClaimResponse(
        decision=decision,
        next_step=result.next_step,
        employee=employee_body(result.employee),
        similarity=result.similarity,
        probability=result.probability,
        threshold=result.threshold.similarity,
        threshold_false_match_rate=result.threshold.false_match_rate,
        face=face_body(result.face),
        frames=frame_bodies(result.face),
        liveness=result.face.liveness,
        model_version=state.manifest.model_version,
        request_id=request_id_of(request),
    )
