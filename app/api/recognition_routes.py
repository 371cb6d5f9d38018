"""Enrol, verify, identify, compare."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import schemas
from app.api.doors import Door
from app.api.enrollment_schemas import EnrollBody
from app.api.presenters import employee_body, enroll_response, face_body, frame_bodies
from app.api.problems import UPLOAD_PROBLEMS, problem_docs
from app.api.request_id import request_id_of
from app.api.scene_schemas import SceneBody
from app.api.state import State
from app.api.uploads import body_docs, read_body, usable
from app.domain import employee_errors, errors, photo_errors, scene_errors
from app.services.enrollment import EnrollmentRequest
from app.services.extraction import SeveralFaces
from app.services.scenes import Scene

router = APIRouter(prefix="/v1", tags=["recognition"])

PHOTO_PROBLEMS = (
    photo_errors.UnsupportedPhotoTypeError,
    photo_errors.UndecodablePhotoError,
    photo_errors.PhotoCutError,
    photo_errors.PhotoTooManyBytesError,
    photo_errors.PhotoTooManyPixelsError,
    photo_errors.NoFaceFoundError,
    photo_errors.SeveralFacesFoundError,
    photo_errors.FaceTooSmallError,
    photo_errors.FaceBlurredError,
    photo_errors.FaceTooDarkError,
    photo_errors.FaceTooNoisyError,
    photo_errors.FaceTooBrightError,
    photo_errors.FaceTurnedError,
    photo_errors.FaceCutOffError,
    photo_errors.FaceDistortedError,
    photo_errors.FaceUnrecognisableError,
    errors.BusyError,
    *UPLOAD_PROBLEMS,
)

SCENE_PROBLEMS = (
    *PHOTO_PROBLEMS,
    scene_errors.BurstOfSeveralPeopleError,
    scene_errors.ChallengesOffError,
    scene_errors.ChallengeUnknownError,
    scene_errors.LivenessFailedError,
    scene_errors.LivenessRequiredError,
    scene_errors.LivenessNotConfiguredError,
)
SCENE_FIELDS = {"photo": False, "frames": True}

Faces = Annotated[
    SeveralFaces,
    Query(alias="faces", description="Of several faces, take the largest or refuse the photo."),
]


async def _enroll_upload(request: Request, state: State) -> EnrollmentRequest:
    body, photos = await read_body(request, EnrollBody, {"photos": True}, state.max_upload_bytes)
    return EnrollmentRequest(
        body.employee_id,
        body.full_name,
        body.card_number,
        photos["photos"],
        body.confirm_distinct,
    )


async def _scene_upload(request: Request, state: State) -> Scene:
    body, photos = await read_body(
        request, SceneBody, SCENE_FIELDS, state.max_upload_bytes, alone="photo"
    )
    frames = (*photos["photo"], *photos["frames"])
    return Scene(frames, body.challenge_id)


async def _pair_upload(request: Request, state: State) -> tuple[bytes, bytes]:
    fields = {"first": False, "second": False}
    _, photos = await read_body(request, schemas.CompareBody, fields, state.max_upload_bytes)
    return usable(photos["first"][0]), usable(photos["second"][0])


SceneUpload = Annotated[Scene, Depends(_scene_upload)]
SCENE_DOCS = body_docs(SceneBody, SCENE_FIELDS, alone="photo")


@router.post(
    "/enroll",
    summary="Enrol an employee, or add photos to one",
    status_code=201,
    responses={
        200: {"model": schemas.EnrollResponse, "description": "Photos were added"},
        **problem_docs(
            photo_errors.NoUsablePhotoError,
            photo_errors.TooManyPhotosError,
            errors.EmployeeConflictError,
            employee_errors.NameDiffersError,
            employee_errors.CardNumberDiffersError,
            employee_errors.CardNumberTakenError,
            employee_errors.EmployeeDeletedError,
            errors.EmployeeNotFoundError,
            errors.FaceAlreadyEnrolledError,
            errors.BusyError,
            *UPLOAD_PROBLEMS,
        ),
    },
    openapi_extra=body_docs(EnrollBody, {"photos": True}),
)
def enroll(
    upload: Annotated[EnrollmentRequest, Depends(_enroll_upload)],
    state: State,
    request: Request,
    response: Response,
) -> schemas.EnrollResponse:
    """Store one to twenty photos of one employee.

    Every photo is judged by itself, and whether it agrees with the others and with those enrolled:
    `photos` says which were enrolled and why others were not. One that is enrolled already, as the
    same file or encoded anew, is `already_enrolled` and not counted twice: the same request again
    changes nothing. An employee who is deleted meanwhile is not made anew (409). A face that is
    enrolled under another id is a 409 with the candidates; `confirm_distinct: true` says that these
    are two people. Nothing is stored where no photo can be used. A new employee is answered with
    201, an extended one with 200. Pictures are not kept, only their measures and embeddings. Photos
    that together exceed the bytes of a request (see the limits at the top) go in several: each adds
    its own.
    """
    result = state.enrollment.enroll(upload)
    response.status_code = 201 if result.created else 200
    return enroll_response(result, state.manifest.model_version, request_id_of(request))


@router.post(
    "/verify",
    summary="Known or unknown",
    responses=problem_docs(*SCENE_PROBLEMS),
    openapi_extra=SCENE_DOCS,
)
def verify(
    scene: SceneUpload,
    state: State,
    request: Request,
    door: Door,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.VerifyResponse:
    """Tell which employee the face belongs to, or that it is nobody enrolled.

    Up to five `frames` of one scene are fused by their quality: surer than one, at the cost of as
    many recognitions. Frames without a usable face are named in the answer and left out.
    """
    found = state.recognition.identify(scene, 1, faces)
    known = found.known
    nearest = found.candidates[0].similarity if found.candidates else None
    state.metrics.decided("verify", found.verdict, nearest)
    state.metrics.doors.saw(door, "verify", found.verdict, nearest, found.face.quality)
    return schemas.VerifyResponse(
        decision=found.verdict,
        next_step=found.next_step,
        contenders=[candidate.employee.employee_id for candidate in found.contenders],
        employee=employee_body(known.employee) if known else None,
        similarity=nearest,
        probability=found.probability,
        threshold=found.threshold.similarity,
        threshold_false_match_rate=found.threshold.false_match_rate,
        face=face_body(found.face),
        frames=frame_bodies(found.face),
        liveness=found.face.liveness,
        model_version=state.manifest.model_version,
        request_id=request_id_of(request),
    )


@router.post(
    "/identify",
    summary="The most probable employees, ranked",
    responses=problem_docs(*SCENE_PROBLEMS),
    openapi_extra=SCENE_DOCS,
)
def identify(
    scene: SceneUpload,
    state: State,
    request: Request,
    door: Door,
    limit: Annotated[int, Query(ge=1, le=100, description="How many candidates.")] = 5,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.IdentifyResponse:
    """Rank the employees by the probability that it is this person.

    An employee of fewer photos may rank above a nearer one: centroids of more photos lie closer to
    everybody.
    """
    found = state.recognition.identify(scene, limit, faces)
    nearest = found.candidates[0].similarity if found.candidates else None
    state.metrics.decided("identify", found.verdict, nearest)
    state.metrics.doors.saw(door, "identify", found.verdict, nearest, found.face.quality)
    return schemas.IdentifyResponse(
        decision=found.verdict,
        next_step=found.next_step,
        contenders=[candidate.employee.employee_id for candidate in found.contenders],
        candidates=[
            schemas.CandidateBody(
                rank=rank,
                employee=employee_body(candidate.employee),
                similarity=candidate.similarity,
                closest_photo_similarity=candidate.closest_photo_similarity,
                probability=candidate.probability,
            )
            for rank, candidate in enumerate(found.candidates, start=1)
        ],
        unknown_probability=found.unknown_probability,
        others_probability=found.others_probability,
        prior_unknown=state.policy.prior_unknown,
        threshold=found.threshold.similarity,
        face=face_body(found.face),
        frames=frame_bodies(found.face),
        liveness=found.face.liveness,
        model_version=state.manifest.model_version,
        request_id=request_id_of(request),
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
    request: Request,
    faces: Faces = SeveralFaces.LARGEST,
) -> schemas.CompareResponse:
    """Compare the faces of two photos; nobody needs to be enrolled and nothing is stored."""
    result = state.recognition.compare(*photos, faces)
    decision: Literal["same", "different"] = "same" if result.same else "different"
    state.metrics.decided("compare", decision, result.similarity)
    return schemas.CompareResponse(
        decision=decision,
        similarity=result.similarity,
        probability=result.probability,
        threshold=result.threshold.similarity,
        threshold_false_match_rate=result.threshold.false_match_rate,
        faces=[face_body(face) for face in result.faces],
        model_version=state.manifest.model_version,
        request_id=request_id_of(request),
    )
