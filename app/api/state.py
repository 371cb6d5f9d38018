"""What the lifespan builds and the routes use, typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from app.api.metrics.service import ServiceMetrics
from app.api.shared_readiness import SharedReadiness
from app.domain.model_manifest import ModelManifest
from app.domain.runtime import Runtime
from app.services.admission import Admission
from app.services.audits import Audits
from app.services.challenges import Challenges
from app.services.employees import Employees
from app.services.enrollment import Enrollment
from app.services.policy import DecisionPolicy
from app.services.readiness import Readiness
from app.services.recognition import Recognition


@dataclass(frozen=True)
class AppState:
    """Every shared resource of a running service."""

    enrollment: Enrollment
    recognition: Recognition
    employees: Employees
    readiness: Readiness
    manifest: ModelManifest
    #: What runs the model here; never ``AUTO``.
    runtime: Runtime
    policy: DecisionPolicy
    metrics: ServiceMetrics
    max_upload_bytes: int
    admission: Admission
    audits: Audits
    #: None where the service has no active challenge.
    challenges: Challenges | None = None
    #: A caller that asks while a check runs gets its result: nobody stands behind another's check.
    readiness_asked: SharedReadiness = field(default_factory=SharedReadiness)


async def get_state(request: Request) -> AppState:
    """Return the state of the running service."""
    state = request.state.facegate
    if not isinstance(state, AppState):
        raise TypeError("the lifespan did not build an AppState")
    return state


State = Annotated[AppState, Depends(get_state)]
