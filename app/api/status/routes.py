"""The service about itself: model, health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.api.http.security import has_key, require_key
from app.api.state import State
from app.api.status import schemas
from app.api.status.presenters import model_response, readiness_response

router = APIRouter(tags=["service"])
metrics_router = APIRouter(tags=["service"])


@router.get("/v1/model", summary="The loaded model", dependencies=[Depends(require_key)])
def read_model(state: State) -> schemas.ModelResponse:
    """Return which embedder decides, by which thresholds and priors."""
    return model_response(state.manifest, state.runtime, state.policy)


@router.get("/", include_in_schema=False)
async def root(request: Request) -> RedirectResponse:
    """Send a browser to the documentation, where there is one."""
    if request.app.openapi_url is None:
        raise HTTPException(404)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/docs")


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
    return readiness_response(report, with_employees=named)


@metrics_router.get(
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
