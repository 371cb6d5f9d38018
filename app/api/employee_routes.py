"""Employees and their photos as records."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query

from app.api import schemas
from app.api.identifiers import CardNumberFilter, EmployeeIdInPath, NameFilter
from app.api.presenters import employee_body, photo_body
from app.api.problems import BAD_REQUEST, INVALID_REQUEST, TOO_LARGE, problem_docs
from app.api.state import State
from app.domain import employee_errors, errors
from app.domain.employees import EmployeeFilter
from app.services.employees import EmployeeChange

router = APIRouter(prefix="/v1/employees", tags=["employees"])

NOT_FOUND = problem_docs(errors.EmployeeNotFoundError)
_CURSOR_PREFIX = b"k1:"
_LARGEST_KEY = 2**63 - 1


def encode_cursor(key: int) -> str:
    """Return the opaque cursor for the page after ``key``."""
    return base64.urlsafe_b64encode(_CURSOR_PREFIX + str(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the key in a cursor; raises ``InvalidCursorError``."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = int(content.removeprefix(_CURSOR_PREFIX))
    except (binascii.Error, ValueError):
        raise errors.InvalidCursorError("the cursor is not one of this service") from None
    if not content.startswith(_CURSOR_PREFIX) or not 0 <= key <= _LARGEST_KEY:
        raise errors.InvalidCursorError("the cursor is not one of this service")
    return key


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
    """Return employees in the order of their enrolment, page by page.

    With `card_number` or `name` only those whom they fit; give the same filters with the cursor.
    """
    filters = EmployeeFilter.of(card_number, name)
    page = state.employees.page(decode_cursor(cursor) if cursor else 0, limit, filters)
    return schemas.EmployeePageBody(
        employees=[employee_body(employee) for employee in page.employees],
        next_cursor=None if page.next_key is None else encode_cursor(page.next_key),
    )


@router.get("/{employee_id}", summary="Read an employee", responses=NOT_FOUND)
def read_employee(employee_id: EmployeeIdInPath, state: State) -> schemas.EmployeeDetailBody:
    """Return an employee with the records of its photos, and who looks alike."""
    employee, photos = state.employees.read(employee_id)
    return schemas.EmployeeDetailBody(
        **employee_body(employee).model_dump(),
        photos=[photo_body(photo) for photo in photos],
        look_alikes=state.employees.look_alikes(employee_id),
    )


@router.patch(
    "/{employee_id}",
    summary="Change an employee",
    responses=problem_docs(
        errors.EmployeeNotFoundError,
        errors.EmployeeConflictError,
        employee_errors.CardNumberTakenError,
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
