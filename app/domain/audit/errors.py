"""What can go wrong with an audit."""

from __future__ import annotations

from app.domain.errors import FacegateError


class AuditRunningError(FacegateError):
    """An audit runs already; there is one at a time."""

    code = "audit_running"


class AuditNotFoundError(FacegateError):
    """No audit has this id, or it is no longer kept."""

    code = "audit_not_found"


class AuditNotFinishedError(FacegateError):
    """The audit has no result: it still runs, or it failed."""

    code = "audit_not_finished"


class NothingToAuditError(FacegateError):
    """No active employee has a photo of the present model that can be compared."""

    code = "nothing_to_audit"
