"""Audits of the enrolled gallery: start one, follow it, read its result or its page."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.api.audits.page import audit_page
from app.api.audits.presenters import audit_body
from app.api.audits.schemas import AuditBody
from app.api.http.problems import problem_docs
from app.api.state import State
from app.domain.audit import errors as audit_errors

router = APIRouter(prefix="/v1/audits", tags=["audits"])

#: The page draws everything itself; nothing in it may run or be fetched.
PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@router.post(
    "",
    summary="Start an audit of the gallery",
    status_code=202,
    responses=problem_docs(audit_errors.AuditRunningError),
)
def start_audit(state: State, request: Request, response: Response) -> AuditBody:
    """Compare every enrolled photo with everybody, beside live traffic; one audit at a time.

    Answers at once; `Location` says where to follow it. The last few results are kept in the memory
    of this process, none on disk. An audit ends as `failed` with `nothing_to_audit` where no active
    employee has a photo of the present model.
    """
    record = state.audits.start()
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/v1/audits/{record.audit_id}"
    return audit_body(record)


@router.get(
    "/{audit_id}",
    summary="Follow an audit, read its result",
    responses=problem_docs(audit_errors.AuditNotFoundError),
)
def read_audit(audit_id: str, state: State) -> AuditBody:
    """Return progress and, once it is finished, rates with intervals, findings and advice."""
    return audit_body(state.audits.read(audit_id))


@router.get(
    "/{audit_id}/report",
    summary="An audit as one page",
    response_class=Response,
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}}}},
        **problem_docs(audit_errors.AuditNotFoundError, audit_errors.AuditNotFinishedError),
    },
)
def read_report(audit_id: str, state: State) -> Response:
    """Return one self-contained HTML page with charts; it holds ids and figures, no faces."""
    record = state.audits.read(audit_id)
    if record.result is None or record.finished_at is None:
        raise audit_errors.AuditNotFinishedError(f"the audit is {record.state.value}")
    page = audit_page(record.result, record.model_version, record.finished_at)
    return Response(page, media_type="text/html; charset=utf-8", headers=PAGE_HEADERS)
