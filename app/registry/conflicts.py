"""From a violated constraint to the domain's error."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import IntegrityError

from app.domain.errors import CardNumberTakenError, EmployeeConflictError

#: How PostgreSQL (by constraint) and SQLite (by column) name what was violated.
_FIELDS = {
    "uq_employees_employee_id": "employee_id",
    "employees.employee_id": "employee_id",
    "uq_employees_card_number": "card_number",
    "employees.card_number": "card_number",
}


def conflict_from(error: IntegrityError) -> EmployeeConflictError:
    """Return the conflict that names the field, or else the constraint; it never quotes values."""
    violated = _violated(error)
    field = _FIELDS.get(violated)
    if field is not None:
        kind = CardNumberTakenError if field == "card_number" else EmployeeConflictError
        return kind(f"another employee already has this {field}")
    return EmployeeConflictError(f"the registry refuses this change: {violated}")


def _violated(error: IntegrityError) -> str:
    original = error.orig
    if isinstance(original, psycopg.Error):
        return original.diag.constraint_name or "a constraint"
    # SQLite says which column, or which check, after the colon.
    return str(original).rpartition(": ")[2] or "a constraint"
