"""The shapes of audits, as OpenAPI shows them; what was found is the domain's own record."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.audit.result import AuditResult
from app.services.audits import AuditState


class AuditBody(BaseModel):
    """An audit: how far it is and, once it is finished, what it found."""

    audit_id: str
    state: AuditState
    progress: float = Field(ge=0, le=1)
    started_at: datetime
    finished_at: datetime | None
    model_version: str
    failure: str | None = Field(description="With `failed`: the code of what ended it.")
    result: AuditResult | None
