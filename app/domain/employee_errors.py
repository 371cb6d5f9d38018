"""How the registry contradicts a request about an employee, each kind by its own code."""

from __future__ import annotations

from app.domain.errors import EmployeeConflictError, EmployeeNotFoundError
from app.domain.photo_errors import PhotoError


class EmployeeSuspendedError(EmployeeConflictError):
    """The claimed employee is suspended and passes nowhere."""

    code = "employee_suspended"


class NoCurrentPhotoError(EmployeeConflictError):
    """The claimed employee has no photo that the present model has seen."""

    code = "no_current_photo"


class NameDiffersError(EmployeeConflictError):
    """The id is enrolled under another name."""

    code = "name_differs"


class CardNumberDiffersError(EmployeeConflictError):
    """The id is enrolled with another card number."""

    code = "card_number_differs"


class CardNumberTakenError(EmployeeConflictError):
    """Another employee has this card number."""

    code = "card_number_taken"


class EmployeeDeletedError(EmployeeConflictError):
    """The employee was deleted while photos for it were looked at; nothing is made anew."""

    code = "employee_deleted"


class CardNotFoundError(EmployeeNotFoundError):
    """No employee has this card number."""

    code = "card_not_found"

    def __init__(self, card_number: str) -> None:
        super().__init__("")
        self.args = (f"no employee has the card number {card_number!r}",)


class PhotoAlreadyEnrolledError(PhotoError):
    """The employee has this very picture already, as the same file or encoded anew."""

    code = "already_enrolled"
    advice = "nothing is to be done, or take a new photo: only another one adds anything"
