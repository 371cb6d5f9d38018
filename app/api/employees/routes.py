"""Enroll employees, add and replace their photos; read, change and delete them as records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.employees import schemas
from app.api.employees.cursors import decode_cursor
from app.api.employees.identifiers import CardNumberFilter, EmployeeIdInPath, NameFilter
from app.api.employees.presenters import (
    employee_body,
    employee_detail_body,
    employee_page_body,
    enroll_response,
    photo_body,
)
from app.api.http.problems import (
    BAD_REQUEST,
    INVALID_REQUEST,
    TOO_LARGE,
    UPLOAD_PROBLEMS,
    problem_docs,
)
from app.api.http.request_id import request_id
from app.api.http.uploads import body_docs, read_body
from app.api.photos.problems import PHOTO_PROBLEMS
from app.api.state import State
from app.domain import errors, photo_errors
from app.domain.employees import EmployeeFilter
from app.services.employees import EmployeeChange
from app.services.enrollment import EnrollmentRequest, Upload

#: Every route of the first two takes photos; those of the third, records.
enroll_router = APIRouter(prefix="/v1", tags=["recognition"])
photos_router = APIRouter(prefix="/v1/employees/{employee_id}/photos", tags=["employees"])
router = APIRouter(prefix="/v1/employees", tags=["employees"])

NOT_FOUND = problem_docs(errors.EmployeeNotFoundError)


async def _enroll_upload(request: Request, state: State) -> EnrollmentRequest:
    body, photos = await read_body(
        request, schemas.EnrollBody, {"photos": True}, state.max_upload_bytes
    )
    return EnrollmentRequest(
        body.employee_id,
        body.full_name,
        body.card_number,
        photos["photos"],
        body.confirm_distinct,
    )


async def _added_upload(
    employee_id: EmployeeIdInPath, request: Request, state: State
) -> EnrollmentRequest:
    body, photos = await read_body(
        request, schemas.AddPhotosBody, {"photos": True}, state.max_upload_bytes
    )
    return EnrollmentRequest(
        employee_id, None, None, photos["photos"], body.confirm_distinct, body.replace
    )


async def _replacing_upload(request: Request, state: State) -> tuple[Upload, bool]:
    body, photos = await read_body(
        request, schemas.ReplacePhotoBody, {"photo": False}, state.max_upload_bytes, alone="photo"
    )
    return photos["photo"][0], body.confirm_distinct


@enroll_router.post(
    "/enroll",
    summary="Enroll an employee, or add photos to one",
    status_code=201,
    responses={
        200: {"model": schemas.EnrollResponse, "description": "Photos were added"},
        **problem_docs(
            photo_errors.NoUsablePhotoError,
            photo_errors.TooManyPhotosError,
            errors.EmployeeConflictError,
            errors.NameDiffersError,
            errors.CardNumberDiffersError,
            errors.CardNumberTakenError,
            errors.EmployeeDeletedError,
            errors.EmployeeNotFoundError,
            errors.FaceAlreadyEnrolledError,
            errors.BusyError,
            *UPLOAD_PROBLEMS,
        ),
    },
    openapi_extra=body_docs(schemas.EnrollBody, {"photos": True}),
)
def enroll(
    upload: Annotated[EnrollmentRequest, Depends(_enroll_upload)],
    state: State,
    response: Response,
) -> schemas.EnrollResponse:
    """Store one to twenty photos of one employee.

    Every photo is checked by itself, and whether it agrees with the others and with those enrolled:
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
    return enroll_response(result, state.manifest.model_version, request_id())


@photos_router.post(
    "",
    summary="Add photos to an employee, or replace them all",
    responses=problem_docs(
        photo_errors.NoUsablePhotoError,
        photo_errors.TooManyPhotosError,
        errors.EmployeeNotFoundError,
        errors.EmployeeDeletedError,
        errors.FaceAlreadyEnrolledError,
        errors.BusyError,
        *UPLOAD_PROBLEMS,
    ),
    openapi_extra=body_docs(schemas.AddPhotosBody, {"photos": True}),
)
def add_photos(
    upload: Annotated[EnrollmentRequest, Depends(_added_upload)], state: State
) -> schemas.EnrollResponse:
    """Store one to twenty photos of an employee who is there; nobody is ever created.

    Checked as at an enrollment. With `replace: true` the photos take the place of all that are
    enrolled, in one step, and must only agree with each other: for somebody enrolled from photos of
    somebody else. Where no photo can be used, everything stays as it is.
    """
    result = state.enrollment.enroll(upload)
    return enroll_response(result, state.manifest.model_version, request_id())


@photos_router.put(
    "/{photo_id}",
    summary="Replace a photo",
    responses=problem_docs(
        *PHOTO_PROBLEMS,
        photo_errors.FaceCoveredError,
        photo_errors.PhotoOfSomebodyElseError,
        photo_errors.PhotoAlreadyEnrolledError,
        errors.EmployeeNotFoundError,
        errors.PhotoNotFoundError,
        errors.FaceAlreadyEnrolledError,
    ),
    openapi_extra=body_docs(schemas.ReplacePhotoBody, {"photo": False}, alone="photo"),
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


@router.get(
    "",
    summary="List employees",
    responses=problem_docs(errors.InvalidCursorError, INVALID_REQUEST),
)
def list_employees(
    state: State,
    card_number: CardNumberFilter = None,
    name: NameFilter = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> schemas.EmployeePageBody:
    """Return employees in the order of their enrollment, page by page.

    With `card_number` or `name` only those that match; give the same filters with the cursor.
    """
    filters = EmployeeFilter.of(card_number, name)
    page = state.employees.page(decode_cursor(cursor) if cursor else 0, limit, filters)
    return employee_page_body(page)


@router.get("/{employee_id}", summary="Read an employee", responses=NOT_FOUND)
def read_employee(employee_id: EmployeeIdInPath, state: State) -> schemas.EmployeeDetailBody:
    """Return an employee with the records of its photos, and who looks alike."""
    employee, photos = state.employees.read(employee_id)
    return employee_detail_body(employee, photos, state.employees.look_alikes(employee_id))


@router.patch(
    "/{employee_id}",
    summary="Change an employee",
    responses=problem_docs(
        errors.EmployeeNotFoundError,
        errors.EmployeeConflictError,
        errors.CardNumberTakenError,
        BAD_REQUEST,
        INVALID_REQUEST,
        TOO_LARGE,
    ),
)
def change_employee(
    employee_id: EmployeeIdInPath, change: schemas.EmployeeChangeBody, state: State
) -> schemas.EmployeeBody:
    """Change name, card number or status; a suspended employee is recognised no more."""
    employee = state.employees.change(
        employee_id,
        EmployeeChange(
            full_name=change.full_name,
            card_number=change.card_number,
            clear_card_number="card_number" in change.model_fields_set
            and change.card_number is None,
            status=change.status,
        ),
    )
    return employee_body(employee)


@router.delete("/{employee_id}", summary="Delete an employee", status_code=204, responses=NOT_FOUND)
def delete_employee(employee_id: EmployeeIdInPath, state: State) -> None:
    """Delete an employee with all photos and embeddings; nothing is kept."""
    state.employees.unenroll(employee_id)


@router.get(
    "/{employee_id}/photos/{photo_id}",
    summary="Read the record of a photo",
    responses=problem_docs(errors.EmployeeNotFoundError, errors.PhotoNotFoundError),
)
def read_photo(
    employee_id: EmployeeIdInPath, photo_id: str, state: State
) -> schemas.PhotoRecordBody:
    """Return the measures of one enrolled photo; the picture itself was never kept."""
    return photo_body(state.employees.read_photo(employee_id, photo_id))


@router.delete(
    "/{employee_id}/photos/{photo_id}",
    summary="Delete a photo",
    status_code=204,
    responses=problem_docs(
        errors.EmployeeNotFoundError, errors.PhotoNotFoundError, errors.LastPhotoError
    ),
)
def delete_photo(employee_id: EmployeeIdInPath, photo_id: str, state: State) -> None:
    """Delete one photo's embedding; the employee is recognised by the rest."""
    state.employees.delete_photo(employee_id, photo_id)
