"""A request id for every exchange: the caller's own where it is sane, else a new one."""

from __future__ import annotations

import re
import uuid

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from starlette.types import ASGIApp

HEADER = "x-request-id"
_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware(CorrelationIdMiddleware):
    """Keeps the id for the time of the request, and puts it into the answer's ``x-request-id``.

    It is in a context variable, which threads of the pool inherit: every line of the log has it.
    """

    def __init__(self, app: ASGIApp) -> None:
        # By the transformer: a validator writes a line of log for each id that it refuses, and
        # callers could fill the log with it.
        super().__init__(
            app,
            header_name=HEADER,
            update_request_header=False,
            validator=None,
            transformer=_sane_or_new,
        )


def request_id() -> str:
    """Return the id of the request that is served; empty outside of one."""
    return correlation_id.get() or ""


def _sane_or_new(given: str) -> str:
    return given if _SANE.fullmatch(given) else uuid.uuid4().hex
