"""From what the service knows of itself to the shapes of answers."""

from __future__ import annotations

from app.api.status import schemas
from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.runtime import Runtime
from app.services.policy import DecisionPolicy
from app.services.readiness import ReadinessReport

MAX_NAMED = 50


def model_response(
    manifest: ModelManifest, runtime: Runtime, policy: DecisionPolicy
) -> schemas.ModelResponse:
    """Return the loaded model, what runs it, and the thresholds in force."""
    return schemas.ModelResponse(
        name=manifest.name,
        version=manifest.version,
        model_version=manifest.model_version,
        format=manifest.format,
        sha256=manifest.sha256,
        runtime=runtime,
        embedding_dim=manifest.embedding_dim,
        alignment=manifest.alignment,
        identify=_threshold(policy.identify().threshold),
        verify=_threshold(policy.verify().threshold),
        prior_unknown=policy.prior_unknown,
        prior_same=policy.prior_same,
    )


def readiness_response(
    report: ReadinessReport, *, with_employees: bool
) -> schemas.ReadinessResponse:
    """Return a readiness report; ``with_employees`` names whose photos are left out."""
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
                employee_id=one.employee_id if with_employees else None,
                photo_id=one.photo_id,
                reason=one.reason,
            )
            for one in report.left_out[:MAX_NAMED]
        ],
    )


def _threshold(threshold: Threshold) -> schemas.ThresholdBody:
    return schemas.ThresholdBody(
        similarity=threshold.similarity,
        false_match_rate=threshold.false_match_rate,
        population=threshold.population,
    )
