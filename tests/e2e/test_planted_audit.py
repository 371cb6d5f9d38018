"""A gallery with known faults, made of the invented people, audited by the running service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pytest

from app.domain.embeddings import Embedding, as_embedding
from app.domain.employees import NewPhoto
from app.domain.faces import ENROLLMENT_LIMITS
from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from app.registry.database import create_registry_engine
from app.registry.repository import SqlRegistry
from app.registry.schema import upgrade_to_head
from app.services.admission import Admission
from app.services.extraction import ExtractedFace, FaceExtraction, SeveralFaces
from app.settings import Settings
from app.vision.decode import DecodeLimits
from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from training.data.invented_people import invented_people
from training.demo.service import RunningService, running_service

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Planted:
    """A service with a planted gallery; ``swapped``: photo ids, and whom these photos show."""

    service: RunningService
    data_dir: Path
    swapped: dict[str, str]


def blend(first: Embedding, second: Embedding, share: float) -> Embedding:
    mixed = (1 - share) * first.astype(np.float64) + share * second.astype(np.float64)
    return as_embedding(mixed / np.linalg.norm(mixed))


def plant() -> tuple[dict[str, list[tuple[Embedding, ExtractedFace]]], str]:
    """Return what to enroll under which id, and the model's version.

    Three photos each, but: persons 1 and 2 have one photo swapped, person 3 is enrolled under two
    ids of two photos, person 5 is blended towards person 6, person 7 has one photo.
    """
    embedder = load_embedder(Settings().model_dir, Runtime.TORCHSCRIPT, 1)
    vision = FaceVision(FaceDetector(read_detector_weights()), DecodeLimits())
    extraction = FaceExtraction(vision, embedder, Admission(1, 0, 60.0))
    everybody = {}
    for person in invented_people():
        faces = [
            extraction.extract(photo.read_bytes(), ENROLLMENT_LIMITS, SeveralFaces.REFUSE)
            for photo in person.photos
        ]
        everybody[person.name] = [(face.embedding, face) for face in faces]
    gallery = {name: photos[:3] for name, photos in everybody.items()}
    one, two = gallery["person-01"], gallery["person-02"]
    one[0], two[2] = two[2], one[0]
    gallery["person-03"] = everybody["person-03"][:2]
    gallery["person-03-again"] = everybody["person-03"][2:]
    others = [everybody["person-06"][number][0] for number in (3, 3, 3)]
    gallery["person-05"] = [
        (blend(mine, other, 0.55), face)
        for (mine, face), other in zip(gallery["person-05"], others, strict=True)
    ]
    gallery["person-07"] = gallery["person-07"][:1]
    return gallery, embedder.manifest.model_version


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    data_dir = tmp_path_factory.mktemp("planted")
    url = f"sqlite:///{data_dir / 'facegate.sqlite3'}"
    upgrade_to_head(url)
    registry = SqlRegistry(create_registry_engine(url))
    gallery, model_version = plant()
    photo_ids = {}
    with registry.session() as session:
        for name, faces in gallery.items():
            key = session.add_employee(name, f"Invented {name}", None).key
            photos = [NewPhoto(seen, face.quality, model_version) for seen, face in faces]
            photo_ids[name] = [one.photo_id for one in session.add_photos(key, photos)]
        session.advance_revision()
        session.commit()
    registry.close()
    with running_service(data_dir) as service:
        swapped = {
            photo_ids["person-01"][0]: "person-02",
            photo_ids["person-02"][2]: "person-01",
        }
        yield Planted(service, data_dir, swapped)


def pairs_of(found: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(pair["first_employee_id"], pair["second_employee_id"]) for pair in found}


def test_the_service_finds_every_plant_and_accuses_nobody_else(planted: Planted) -> None:
    with httpx2.Client(base_url=planted.service.url, timeout=60.0) as client:
        started = client.post("/v1/audits")
        assert started.status_code == 202
        where = started.headers["location"]
        while (body := client.get(where).json())["state"] == "running":
            time.sleep(0.05)
        report = client.get(f"{where}/report").text
    assert body["state"] == "finished"
    result = body["result"]
    assert pairs_of(result["possible_duplicates"]) == {("person-03", "person-03-again")}
    assert pairs_of(result["confusable_pairs"]) == {("person-05", "person-06")}
    assert {one["photo_id"]: one["other_employee_id"] for one in result["outliers"]} == (
        planted.swapped
    )
    assert {one["finding"] for one in result["outliers"]} == {"nearer_to_another"}
    assert [one["employee_id"] for one in result["weak_enrollments"]] == ["person-07"]
    for employee_id in ("person-03-again", "person-05", "person-07"):
        assert employee_id in report


def test_the_command_prints_the_same_and_writes_the_page(planted: Planted, tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    printed = subprocess.run(
        [sys.executable, "-m", "app", "audit", "--out", str(page)],
        cwd=ROOT,
        env=os.environ | {"FACEGATE_DATA_DIR": str(planted.data_dir)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "may be one person: 1\n  person-03 / person-03-again" in printed
    assert "can be confused: 1\n  person-05 / person-06" in printed
    assert "photos unlike their person: 2" in printed
    assert "weak enrollments: 1\n  person-07 1 photos: one_photo" in printed
    assert len(re.findall("<svg", page.read_text())) == 2


def test_the_command_says_in_one_line_that_there_is_no_registry(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app", "audit"],
        cwd=ROOT,
        env=os.environ | {"FACEGATE_DATA_DIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert "the database does not exist" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())
