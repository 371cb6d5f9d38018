"""Whole photos against ready crops, with the people who do not exist and the shipped embedder."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.settings import Settings
from app.vision.alignment import align_face
from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.evaluation.embedders import ExportedEmbedder
from training.studies.whole_photos import WholePhotoResult, evaluate_whole_photos, run, tables

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people"
SUBJECTS, PASSER_BY = (1, 2, 3, 4), 5


def photo_of(person: int, shot: int) -> bytes:
    return (PEOPLE / f"person-{person:02d}" / f"{shot}.jpg").read_bytes()


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, BytesIO(content))


def with_passer_by(vision: FaceVision, subject: bytes, other: bytes) -> bytes:
    """Return a photo with the subject's face in the middle and a larger face at the border."""
    canvas = np.full((720, 1280, 3), 128, np.uint8)
    for content, height, centre in ((subject, 260, 640), (other, 420, 1080)):
        picture = vision.decode(content)
        box = vision.detect(picture)[0].box
        left, top = round(max(0, box.x - box.width / 3)), round(max(0, box.y - box.height / 3))
        right, bottom = round(box.x + 4 / 3 * box.width), round(box.y + 4 / 3 * box.height)
        face = picture[top:bottom, left:right]
        width = round(height * face.shape[1] / face.shape[0])
        x, y = min(centre - width // 2, 1280 - width), 360 - height // 2
        canvas[y : y + height, x : x + width] = cv2.resize(face, (width, height))
    return png(canvas)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    vision = FaceVision(FaceDetector(read_detector_weights()))
    with (
        tarfile.open(root / "lfw.tar", "w") as crops,
        tarfile.open(root / "lfw-photos.tar", "w") as photos,
    ):
        for person in SUBJECTS:
            for shot in (1, 2):
                content, name = photo_of(person, shot), f"P{person}/P{person}_{shot:04d}.jpg"
                picture = vision.decode(content)
                marks = vision.detect(picture)[0].landmarks
                crop = align_face(picture, marks, margin=8).transpose(1, 2, 0)
                add(crops, name, png(np.ascontiguousarray(crop)))
                if (person, shot) == (1, 1):
                    content = with_passer_by(vision, content, photo_of(PASSER_BY, 1))
                if (person, shot) == (2, 2):
                    content = png(np.full((250, 250, 3), 90, np.uint8))
                add(photos, name, content)
    same = [f"P{person} 1 2" for person in SUBJECTS]
    different = ["P1 1 P2 1", "P2 1 P3 1", "P3 1 P4 1", "P4 1 P1 2"]
    lines = ["2 4", *same, *different, *same, *different]  # two folds, so that a threshold fits
    (root / "lfw-pairs.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def result(folder: Path) -> WholePhotoResult:
    embedder = ExportedEmbedder(Settings().model_dir, torch.device("cpu"))
    return evaluate_whole_photos(embedder, folder)


def test_every_photo_goes_the_services_way(result: WholePhotoResult) -> None:
    assert (result.photos, result.pairs) == (8, 8)
    assert result.agreement > 0.8


def test_a_photo_without_a_face_is_a_miss_and_its_pair_wrong(result: WholePhotoResult) -> None:
    assert result.misses == ("P2/P2_0002.jpg",)
    assert result.crop_accuracy == 1.0
    assert result.photo_accuracy == 7 / 8


def test_the_face_in_the_middle_is_judged_and_a_larger_one_told(result: WholePhotoResult) -> None:
    assert result.larger_passer_by == ("P1/P1_0001.jpg",)
    assert result.several_faces == 1
    assert result.largest_accuracy == 6 / 8


def test_the_table_tells_the_result(folder: Path, result: WholePhotoResult) -> None:
    assert run(folder, Settings().model_dir) == result
    figures, missed = tables(result)
    row = figures.rows[0]
    assert row[:5] == ("8", "1", "1", "1", "8")
    assert row[5:8] == ("100.00", "87.50", "75.00")
    assert row[8] == f"{result.agreement:.4f}"
    assert missed.rows == (("P2/P2_0002.jpg",),)
