"""From the record of an audit to its shape in the answer."""

from __future__ import annotations

from app.api.audits.schemas import AuditBody
from app.services.audits import AuditRecord


def audit_body(record: AuditRecord) -> AuditBody:
    """Return an audit as answered."""
    return AuditBody(
        audit_id=record.audit_id,
        state=record.state,
        progress=record.progress,
        started_at=record.started_at,
        finished_at=record.finished_at,
        model_version=record.model_version,
        failure=record.failure,
        result=record.result,
    )
