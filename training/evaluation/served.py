"""What the service does: which model it ships with, and where its policy puts thresholds."""

from __future__ import annotations

from pathlib import Path

from app.domain.audit.result import AuditThresholds, thresholds_by_photos
from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy, RiskTargets, duplicate_similarity
from training.foundation.errors import DataError

MODELS = Path("models/embedder")
#: The risks that the service keeps where its operator states none (``FACEGATE_TARGET_FPIR``,
#: ``FACEGATE_TARGET_FMR``).
DEFAULT_TARGETS = RiskTargets(fpir=0.01, fmr=0.001)


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


def served_audit_thresholds(manifest: ModelManifest, people: int) -> AuditThresholds:
    """Return what the service audits a gallery of ``people`` by."""
    policy = RiskPolicy(manifest, DEFAULT_TARGETS)
    fpir = DEFAULT_TARGETS.fpir
    return thresholds_by_photos(
        [photos for photos, _ in manifest.centroid_shifts],
        lambda photos: policy.promise(fpir, people, photos=photos),
        lambda photos: policy.verify(photos=photos),
        duplicate_similarity(manifest, policy, people),
        fpir,
    )
