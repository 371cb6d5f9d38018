"""The shapes of requests that bring photos of one employee."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.api.identifiers import (
    CardNumber,
    EmployeeId,
    FalseByPlaceholder,
    FullName,
    LeftOutByPlaceholder,
)
from app.api.scene_schemas import Base64Photo


class RequestBody(BaseModel):
    """A body of named fields; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


ConfirmDistinct = Annotated[
    bool,
    FalseByPlaceholder,
    Field(
        description="Enrol a face that is enrolled under another id: somebody has looked, and "
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
