"""The shapes of employees, their photos, and the requests that enroll and change them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.api.employees.identifiers import (
    CardNumber,
    EmployeeId,
    FalseByPlaceholder,
    FullName,
    LeftOutByPlaceholder,
)
from app.api.http.schemas import RequestBody
from app.api.photos.schemas import Base64Photo, FaceBody, QualityBody
from app.domain.employees import EmployeeStatus

ConfirmDistinct = Annotated[
    bool,
    FalseByPlaceholder,
    Field(
        description="Enroll a face that is enrolled under another id: somebody has looked, and "
        "these are two people. The pair is kept as look-alikes."
    ),
]


class EnrollBody(RequestBody):
    """JSON body of ``POST /v1/enroll``."""

    employee_id: EmployeeId
    full_name: FullName
    card_number: Annotated[CardNumber | None, LeftOutByPlaceholder] = None
    confirm_distinct: ConfirmDistinct = False
    photos: list[Base64Photo] = Field(min_length=1, max_length=20)


class AddPhotosBody(RequestBody):
    """JSON body of ``POST /v1/employees/{employee_id}/photos``."""

    replace: Annotated[bool, FalseByPlaceholder] = Field(
        False, description="Put these photos in the place of all that are enrolled."
    )
    confirm_distinct: ConfirmDistinct = False
    photos: list[Base64Photo] = Field(min_length=1, max_length=20)


class ReplacePhotoBody(RequestBody):
    """JSON body of ``PUT /v1/employees/{employee_id}/photos/{photo_id}``."""

    confirm_distinct: ConfirmDistinct = False
    photo: Base64Photo


class EmployeeChangeBody(RequestBody):
    """What to change of an employee; what is left out stays. A null or empty card is none."""

    full_name: FullName | None = None
    card_number: CardNumber | None = None
    status: EmployeeStatus | None = None


class EmployeeBody(BaseModel):
    """An employee."""

    employee_id: str
    full_name: str
    card_number: str | None
    status: EmployeeStatus
    photo_count: int
    created_at: datetime
    updated_at: datetime


class PhotoRecordBody(BaseModel):
    """An enrolled photo: its measures; the picture itself is not kept."""

    photo_id: str
    quality: QualityBody
    model_version: str
    created_at: datetime


class EmployeeDetailBody(EmployeeBody):
    """An employee with the records of its photos."""

    photos: list[PhotoRecordBody]
    look_alikes: list[str] = Field(
        description="Ids of employees who look alike, as was confirmed at an enrollment."
    )


class EmployeePageBody(BaseModel):
    """A page of employees in the order of their enrollment."""

    employees: list[EmployeeBody]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page.")


class EnrolledPhotoBody(BaseModel):
    """What became of one photo of an enrollment."""

    position: int = Field(description="Position of the photo in the request, from 0.")
    status: Literal["enrolled", "already_enrolled", "rejected"] = Field(
        description="`already_enrolled`: the same picture, as the same file or encoded anew, is "
        "enrolled as `photo_id`; it is not counted twice."
    )
    photo_id: str | None = None
    face: FaceBody | None = None
    code: str | None = Field(
        None,
        description="Why it was rejected, or `already_enrolled`.",
        examples=["face_blurred"],
    )
    message: str | None = Field(None, description="What was measured and what is needed.")
    hint: str | None = Field(
        None, description="The message with what a person can do about it, for the screen."
    )


class EnrollResponse(BaseModel):
    """What became of an enrollment; ``photos`` follows the order of the request."""

    employee: EmployeeBody
    created: bool
    enrolled_count: int
    already_enrolled_count: int
    rejected_count: int
    photos: list[EnrolledPhotoBody]
    look_alikes: list[str] = Field(
        description="Ids of employees that `confirm_distinct` kept as look-alikes just now."
    )
    model_version: str
    request_id: str
