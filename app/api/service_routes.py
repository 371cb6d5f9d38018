"""The service about itself: model, health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from app.api import service_schemas as schemas
from app.api.security import has_key, require_key
from app.api.state import State
from app.domain.model_manifest import Threshold

router = APIRouter(tags=["service"])

MOST_NAMED = 50


def _threshold(threshold: Threshold) -> schemas.ThresholdBody:
    return schemas.ThresholdBody(
        similarity=threshold.similarity,
        false_match_rate=threshold.false_match_rate,
        population=threshold.population,
    )


@router.get("/v1/model", summary="The loaded model", dependencies=[Depends(require_key)])
def read_model(state: State) -> schemas.ModelResponse:
    """Return which embedder decides, by which thresholds and priors."""
    manifest, policy = state.manifest, state.policy
    return schemas.ModelResponse(
        name=manifest.name,
        version=manifest.version,
        model_version=manifest.model_version,
        format=manifest.format,
        sha256=manifest.sha256,
        runtime=state.runtime,
        embedding_dim=manifest.embedding_dim,
        alignment=manifest.alignment,
        identify=_threshold(policy.identify().threshold),
        verify=_threshold(policy.verify().threshold),
        prior_unknown=policy.prior_unknown,
        prior_same=policy.prior_same,
    )


@router.get("/", include_in_schema=False)
async def root() -> RedirectResponse:
    """Send a browser to the documentation."""
    return RedirectResponse("docs")


@router.get("/healthz", summary="Does the process live")
async def healthz() -> schemas.HealthResponse:
    """Answer as long as the process does."""
    return schemas.HealthResponse()


@router.get(
    "/readyz",
    summary="Can the service decide",
    responses={503: {"model": schemas.ReadinessResponse, "description": "Not ready"}},
)
async def readyz(state: State, request: Request, response: Response) -> schemas.ReadinessResponse:
    """Recognise a stored picture, write to the database and read, and look what is enrolled.

    Answers within 2 s, whatever hangs. `detail` names what is wrong. Stored photos that are in no
    comparison are named in `left_out`, with the employee for callers who have the key.
    """
    report = await state.readiness_asked.report(state.readiness)
    response.status_code = 200 if report.ready else 503
    named = has_key(request.headers, request.app.state.api_key)
    return schemas.ReadinessResponse(
        ready=report.ready,
        recognition=report.works("recognition"),
        index_current=report.works("index"),
        employees=report.employees,
        detail=report.detail,
        checks=[
            schemas.CheckBody(name=one.name, ok=one.ok, detail=one.detail)
            for one in report.components
        ],
        left_out_count=len(report.left_out),
        left_out=[
            schemas.LeftOutBody(
                employee_id=one.employee_id if named else None,
                photo_id=one.photo_id,
                reason=one.reason,
            )
            for one in report.left_out[:MOST_NAMED]
        ],
    )


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(state: State) -> Response:
    """Return counters and histograms of exchanges and decisions; nothing of people."""
    return Response(
        state.metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8"
    )
