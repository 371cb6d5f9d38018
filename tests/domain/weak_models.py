"""Manifests of models that were calibrated on few people."""

from __future__ import annotations

from app.domain.model_manifest import ModelManifest

SHA256 = "a" * 64


def weak_document(strangers: int = 60, people: int = 9, **changes: object) -> dict[str, object]:
    """Return a manifest whose tail goes further than so many strangers support."""
    threshold = {"similarity": 0.7, "false_match_rate": 1e-2, "population": "made"}
    points = [[0.1, 0.2], [1e-2, 0.6], [1e-6, 0.9]]
    return {
        "schema": 1,
        "name": "weak",
        "version": "1",
        "format": "torchscript",
        "file": "embedder.pt",
        "sha256": SHA256,
        "input": {"size": 112},
        "embedding_dim": 6,
        "alignment": "arcface-112",
        "calibration": [{"photos": 1, "slope": 40.0, "intercept": -16.0}],
        "impostor_tails": [
            {
                "population": "all",
                "points": points,
                "extrapolated_below": 1e-5,
                "people": strangers,
            }
        ],
        "thresholds": {"identify": threshold, "verify": threshold},
        "golden": {"embedding": [1.0], "min_similarity": 0.999},
        "calibration_evidence": {"sha256": SHA256},
        "support": {"people": people, "photos": 3 * people, "strangers": strangers},
        **changes,
    }


def weak_manifest(strangers: int = 60, people: int = 9, **changes: object) -> ModelManifest:
    """Return the same, read."""
    return ModelManifest.from_json(weak_document(strangers, people, **changes))
