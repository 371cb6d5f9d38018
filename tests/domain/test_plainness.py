"""What a manifest may say of plainness, and what the limit on it refuses."""

from __future__ import annotations

import dataclasses
import json

import pytest

from app.domain.errors import ModelArtifactError
from app.domain.faces import ENROLLMENT_LIMITS, VERIFICATION_LIMITS, FaceQuality, require_plain
from app.domain.model_manifest import ModelManifest
from app.domain.photo_errors import FaceCoveredError
from tests.domain.test_model_manifest import LINE, document

FACE = FaceQuality(150, 500, 120, 0, 0, 0, 0.95)
LIMITS = dataclasses.replace(ENROLLMENT_LIMITS, min_plainness=0.25)


def block(**changes: object) -> dict[str, object]:
    return {
        "file": "plainness.onnx",
        "sha256": "ab" * 32,
        "golden": -1.5,
        "golden_tolerance": 0.02,
        "min_enrollment": 0.25,
        **changes,
    }


def read(entry: object) -> ModelManifest:
    return ModelManifest.from_json(json.loads(json.dumps({**document(LINE), "plainness": entry})))


def test_a_manifest_carries_the_network_and_a_limit_for_enrollment_only() -> None:
    manifest = read(block())
    assert manifest.plainness is not None
    assert manifest.plainness.file == "plainness.onnx"
    assert manifest.enrollment_limits == dataclasses.replace(ENROLLMENT_LIMITS, min_plainness=0.25)
    assert manifest.verification_limits == VERIFICATION_LIMITS


def test_a_manifest_of_before_says_nothing_and_refuses_nobody() -> None:
    manifest = ModelManifest.from_json(document(LINE))
    assert manifest.plainness is None
    assert manifest.enrollment_limits == ENROLLMENT_LIMITS
    assert read(None).plainness is None


@pytest.mark.parametrize(
    "changes",
    [
        *({"file": name} for name in ("", "..", "../embedder.pt", "a\\b", 7, None)),
        *({"sha256": digest} for digest in ("", "AB" * 32, "ab" * 31, 1)),
        *({"golden": answer} for answer in (float("nan"), float("inf"), "1", None)),
        *({"golden_tolerance": tolerance} for tolerance in (0, -0.1, 1.0, True)),
        *({"min_enrollment": limit} for limit in (-0.01, 1.0, float("nan"), "0.5")),
    ],
)
def test_a_block_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ModelArtifactError, match="not valid"):
        read(block(**changes))


@pytest.mark.parametrize("key", block())
def test_a_block_must_be_whole(key: str) -> None:
    entry = block()
    del entry[key]
    with pytest.raises(ModelArtifactError, match="not valid"):
        read(entry)


def test_a_face_below_the_limit_is_covered_and_one_that_was_not_measured_passes() -> None:
    require_plain(FACE, LIMITS)
    require_plain(dataclasses.replace(FACE, plainness=0.25), LIMITS)
    require_plain(dataclasses.replace(FACE, plainness=0.0), ENROLLMENT_LIMITS)
    below = dataclasses.replace(FACE, plainness=0.2499)
    with pytest.raises(FaceCoveredError, match=r"0\.249, 0\.250 is needed") as refused:
        require_plain(below, LIMITS)
    assert refused.value.code == "face_covered"
    assert "take off" in refused.value.hint
