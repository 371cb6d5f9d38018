"""How the registry contradicts a request about an employee, each kind by its own code."""

from __future__ import annotations

from app.domain.errors import EmployeeConflictError


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
