"""Verify, identify, compare; and claimed identities: is this the employee of that id, or card."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.api.employees.identifiers import CardNumberInPath, EmployeeIdInPath
from app.api.http.problems import problem_docs
from app.api.http.request_id import request_id
from app.api.http.uploads import body_docs, read_body, usable
from app.api.photos.problems import PHOTO_PROBLEMS
from app.api.recognition import presenters, schemas
from app.api.recognition.doors import Door
from app.api.state import AppState, State
from app.domain import errors
from app.services.answers import ClaimVerification
from app.services.extraction import SeveralFaces
from app.services.scenes import Scene

router = APIRouter(prefix="/v1", tags=["recognition"])

SCENE_PROBLEMS = (
    *PHOTO_PROBLEMS,
    errors.BurstOfSeveralPeopleError,
    errors.ChallengesOffError,
    errors.ChallengeUnknownError,
    errors.LivenessFailedError,
    errors.LivenessRequiredError,
    errors.LivenessNotConfiguredError,
)
CLAIM_PROBLEMS = (
    *SCENE_PROBLEMS,
    errors.EmployeeSuspendedError,
    errors.NoCurrentPhotoError,
)

SCENE_FIELDS = {"photo": False, "frames": True}

Faces = Annotated[
    SeveralFaces,
    Query(alias="faces", description="Of several faces, take the largest or refuse the photo."),
]


async def _scene_upload(request: Request, state: State) -> Scene:
    body, photos = await read_body(
        request, schemas.SceneBody, SCENE_FIELDS, state.max_upload_bytes, alone="photo"
    )
    frames = (*photos["photo"], *photos["frames"])
    return Scene(frames, body.challenge_id)


async def _pair_upload(request: Request, state: State) -> tuple[bytes, bytes]:
    fields = {"first": False, "second": False}
    _, photos = await read_body(request, schemas.CompareBody, fields, state.max_upload_bytes)
    return usable(photos["first"][0]), usable(photos["second"][0])


SceneUpload = Annotated[Scene, Depends(_scene_upload)]
SCENE_DOCS = body_docs(schemas.SceneBody, SCENE_FIELDS, alone="photo")


@router.post(
    "/verify",
    summary="Known or unknown",
    responses=problem_docs(*SCENE_PROBLEMS),
    openapi_extra=SCENE_DOCS,
)
def verify(
    scene: SceneUpload,
    state: State,
    door: Door,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.VerifyResponse:
    """Tell which employee the face belongs to, or that it is nobody enrolled.

    Up to five `frames` of one scene are fused by their quality: surer than one, at the cost of as
    many recognitions. Frames without a usable face are named in the answer and left out.
    """
    found = state.recognition.identify(scene, 1, faces)
    answer = presenters.verify_response(found, state.manifest.model_version, request_id())
    state.metrics.decided_at(door, "verify", answer.decision, answer.similarity, found.face.quality)
    return answer


@router.post(
    "/identify",
    summary="The most probable employees, ranked",
    responses=problem_docs(*SCENE_PROBLEMS),
    openapi_extra=SCENE_DOCS,
)
def identify(
    scene: SceneUpload,
    state: State,
    door: Door,
    limit: Annotated[int, Query(ge=1, le=100, description="How many candidates.")] = 5,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.IdentifyResponse:
    """Rank the employees by the probability that it is this person.

    An employee of fewer photos may rank above a nearer one: centroids of more photos lie closer to
    everybody.
    """
    found = state.recognition.identify(scene, limit, faces)
    nearest = presenters.nearest_similarity(found)
    state.metrics.decided_at(door, "identify", found.verdict, nearest, found.face.quality)
    return presenters.identify_response(
        found, state.policy.prior_unknown, state.manifest.model_version, request_id()
    )


@router.post(
    "/compare",
    summary="Are two photos of the same person",
    responses=problem_docs(*PHOTO_PROBLEMS),
    openapi_extra=body_docs(schemas.CompareBody, {"first": False, "second": False}),
)
def compare(
    photos: Annotated[tuple[bytes, bytes], Depends(_pair_upload)],
    state: State,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.CompareResponse:
    """Compare the faces of two photos; nobody needs to be enrolled and nothing is stored."""
    result = state.recognition.compare(*photos, faces)
    answer = presenters.compare_response(result, state.manifest.model_version, request_id())
    state.metrics.decided("compare", answer.decision, answer.similarity)
    return answer


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
    door: Door,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.ClaimResponse:
    """Compare the face with one employee, as after a badge was read. A non-match is no error.

    `next_step` says what the door should do: a look-alike of the employee who was recorded at an
    enrollment may make a match ask for a second factor.
    """
    result = state.recognition.verify_claim(employee_id, scene, faces)
    return _answer_to_claim(result, state, door)


@router.post(
    "/cards/{card_number}/verify",
    summary="Is this the employee with this card",
    responses=problem_docs(*CLAIM_PROBLEMS, errors.CardNotFoundError, errors.EmployeeNotFoundError),
    openapi_extra=SCENE_DOCS,
)
def verify_card(
    card_number: CardNumberInPath,
    scene: SceneUpload,
    state: State,
    door: Door,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.ClaimResponse:
    """Compare the face with the employee who has this card, for a reader that knows no ids.

    The answer is that of a claim by id; a card that nobody has is a 404 `card_not_found`.
    """
    result = state.recognition.verify_card(card_number, scene, faces)
    return _answer_to_claim(result, state, door)


def _answer_to_claim(
    result: ClaimVerification, state: AppState, door: str
) -> schemas.ClaimResponse:
    answer = presenters.claim_response(result, state.manifest.model_version, request_id())
    state.metrics.decided_at(door, "claim", answer.decision, answer.similarity, result.face.quality)
    return answer
