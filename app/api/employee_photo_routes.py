"""Photos of an employee who is enrolled: add some, replace one or all."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from app.api import schemas
from app.api.enrollment_schemas import AddPhotosBody, ReplacePhotoBody
from app.api.identifiers import EmployeeIdInPath
from app.api.presenters import enroll_response, photo_body
from app.api.problems import UPLOAD_PROBLEMS, problem_docs
from app.api.recognition_routes import PHOTO_PROBLEMS
from app.api.request_id import request_id_of
from app.api.state import State
from app.api.uploads import body_docs, read_body
from app.domain import employee_errors, errors, photo_errors
from app.services.enrollment import EnrollmentRequest, Upload

router = APIRouter(prefix="/v1/employees/{employee_id}/photos", tags=["employees"])


async def _added_upload(
    employee_id: EmployeeIdInPath, request: Request, state: State
) -> EnrollmentRequest:
    body, photos = await read_body(request, AddPhotosBody, {"photos": True}, state.max_upload_bytes)
    return EnrollmentRequest(
        employee_id, None, None, photos["photos"], body.confirm_distinct, body.replace
    )


async def _replacing_upload(request: Request, state: State) -> tuple[Upload, bool]:
    body, photos = await read_body(
        request, ReplacePhotoBody, {"photo": False}, state.max_upload_bytes, alone="photo"
    )
    return photos["photo"][0], body.confirm_distinct


@router.post(
    "",
    summary="Add photos to an employee, or replace them all",
    responses=problem_docs(
        photo_errors.NoUsablePhotoError,
        photo_errors.TooManyPhotosError,
        errors.EmployeeNotFoundError,
        employee_errors.EmployeeDeletedError,
        errors.FaceAlreadyEnrolledError,
        errors.BusyError,
        *UPLOAD_PROBLEMS,
    ),
    openapi_extra=body_docs(AddPhotosBody, {"photos": True}),
)
def add_photos(
    upload: Annotated[EnrollmentRequest, Depends(_added_upload)], state: State, request: Request
) -> schemas.EnrollResponse:
    """Store one to twenty photos of an employee who is there; nobody is ever created.

    Judged as at an enrolment. With `replace: true` the photos take the place of all that are
    enrolled, in one step, and must only agree with each other: for somebody enrolled from photos of
    somebody else. Where no photo can be used, everything stays as it is.
    """
    result = state.enrollment.enroll(upload)
    return enroll_response(result, state.manifest.model_version, request_id_of(request))


@router.put(
    "/{photo_id}",
    summary="Replace a photo",
    responses=problem_docs(
        *PHOTO_PROBLEMS,
        photo_errors.PhotoOfSomebodyElseError,
        employee_errors.PhotoAlreadyEnrolledError,
        errors.EmployeeNotFoundError,
        errors.PhotoNotFoundError,
        errors.FaceAlreadyEnrolledError,
    ),
    openapi_extra=body_docs(ReplacePhotoBody, {"photo": False}, alone="photo"),
)
def replace_photo(
    employee_id: EmployeeIdInPath,
    photo_id: str,
    upload: Annotated[tuple[Upload, bool], Depends(_replacing_upload)],
    state: State,
) -> schemas.PhotoRecordBody:
    """Put another photo in the place of one, in one step and under the same id.

    It must agree with the employee's other photos; what it replaces may show anybody. So the only
    photo of an employee can be replaced, though never deleted. A photo that repeats another of the
    employee's is a 409 `already_enrolled`.
    """
    photo, confirmed_distinct = upload
    state.enrollment.replace_photo(
        employee_id, photo_id, photo, confirmed_distinct=confirmed_distinct
    )
    return photo_body(state.employees.read_photo(employee_id, photo_id))
