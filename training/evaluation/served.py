"""What the service does: which model it ships with, and where its policy puts thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.domain.audit.result import AuditThresholds
from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy, RiskTargets, duplicate_similarity
from training.data.crops import DataError

MODELS = Path("models/embedder")
#: The risks that the service keeps where its operator states none (``FACEGATE_TARGET_FPIR``,
#: ``FACEGATE_TARGET_FMR``).
DEFAULT_TARGETS = RiskTargets(fpir=0.01, fmr=0.001)

ServedModelOption = Annotated[
    Path | None, typer.Option("--model", help="An exported model's folder; the newest one shipped.")
]


def newest_model(models: Path = MODELS) -> Path:
    """Return the folder of the highest version, as 1.0.0; raises ``DataError`` for none."""
    versions = [
        (tuple(int(part) for part in path.parent.name.split(".")), path.parent)
        for path in models.glob("*/manifest.json")
        if path.parent.name.replace(".", "").isdigit()
    ]
    if not versions:
        raise DataError(f"{models} holds no exported model; name one with --model")
    return max(versions)[1]


def served_thresholds(manifest: ModelManifest, people: int) -> tuple[float, float]:
    """Return the similarities asked for 1:1 and, against ``people`` enrolled, for 1:N."""
    policy = RiskPolicy(manifest, DEFAULT_TARGETS)
    identify = policy.promise(DEFAULT_TARGETS.fpir, people)
    return policy.verify().threshold.similarity, identify.threshold.similarity


def served_audit_thresholds(manifest: ModelManifest, people: int) -> AuditThresholds:
    """Return what the service audits a gallery of ``people`` by."""
    verify, identify = served_thresholds(manifest, people)
    policy = RiskPolicy(manifest, DEFAULT_TARGETS)
    fpir = DEFAULT_TARGETS.fpir
    numbers = [photos for photos, _ in manifest.centroid_shifts]
    return AuditThresholds(
        identify,
        verify,
        duplicate_similarity(manifest, policy, people),
        fpir,
        tuple((n, policy.promise(fpir, people, photos=n).threshold.similarity) for n in numbers),
        tuple((n, policy.verify(photos=n).threshold.similarity) for n in numbers),
    )
