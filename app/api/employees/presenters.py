"""From employees, their photos and enrollments to the shapes of answers."""

from __future__ import annotations

from collections.abc import Sequence

from app.api.employees import schemas
from app.api.employees.cursors import encode_cursor
from app.api.photos.presenters import face_body, quality_body
from app.domain.employees import Employee, EnrolledPhoto
from app.services.employees import EmployeePage
from app.services.enrollment import EnrollmentResult


def employee_body(employee: Employee) -> schemas.EmployeeBody:
    """Return an employee as answered."""
    return schemas.EmployeeBody(
        employee_id=employee.employee_id,
        full_name=employee.full_name,
        card_number=employee.card_number,
        status=employee.status,
        photo_count=employee.photo_count,
        created_at=employee.created_at,
        updated_at=employee.updated_at,
    )


def employee_detail_body(
    employee: Employee, photos: Sequence[EnrolledPhoto], look_alikes: Sequence[str]
) -> schemas.EmployeeDetailBody:
    """Return an employee with the records of its photos, and who looks alike."""
    return schemas.EmployeeDetailBody(
        **employee_body(employee).model_dump(),
        photos=[photo_body(photo) for photo in photos],
        look_alikes=list(look_alikes),
    )


def employee_page_body(page: EmployeePage) -> schemas.EmployeePageBody:
    """Return a page of employees, with the cursor of the next one."""
    return schemas.EmployeePageBody(
        employees=[employee_body(employee) for employee in page.employees],
        next_cursor=None if page.next_key is None else encode_cursor(page.next_key),
    )


def photo_body(photo: EnrolledPhoto) -> schemas.PhotoRecordBody:
    """Return the record of an enrolled photo."""
    return schemas.PhotoRecordBody(
        photo_id=photo.photo_id,
        quality=quality_body(photo.quality),
        model_version=photo.model_version,
        created_at=photo.created_at,
    )


def enroll_response(
    result: EnrollmentResult, model_version: str, request_id: str
) -> schemas.EnrollResponse:
    """Return what became of an enrollment, photo by photo in the order of the request."""
    photos = [
        schemas.EnrolledPhotoBody(
            position=one.position,
            status="already_enrolled",
            photo_id=one.photo_id,
            face=face_body(one.face),
            code="already_enrolled",
            message="this photo is enrolled already and was not counted twice",
        )
        for one in result.repeated
    ]
    photos += [
        schemas.EnrolledPhotoBody(
            position=one.position,
            status="enrolled",
            photo_id=one.photo.photo_id,
            face=face_body(one.face),
        )
        for one in result.enrolled
    ]
    photos += [
        schemas.EnrolledPhotoBody(
            position=failure.position,
            status="rejected",
            code=failure.code,
            message=failure.message,
            hint=failure.hint,
        )
        for failure in result.failures
    ]
    return schemas.EnrollResponse(
        employee=employee_body(result.employee),
        created=result.created,
        enrolled_count=len(result.enrolled),
        already_enrolled_count=len(result.repeated),
        rejected_count=len(result.failures),
        look_alikes=list(result.look_alikes),
        photos=sorted(photos, key=lambda photo: photo.position),
        model_version=model_version,
        request_id=request_id,
    )
