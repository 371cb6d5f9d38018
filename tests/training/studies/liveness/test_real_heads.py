"""Identity binds the turned frames to the straight one; landmarks alone do not."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.faces import Picture
from training.foundation.arrays import Matrix
from training.studies.liveness.projection import Holding, made_head, project
from training.studies.liveness.real_heads import RealHead, measure_links, own_turns, read_heads

SIDE = 200
CALIBRATION = Calibration((PlattCalibration(1, 40.0, -20.0),))


def write_photos(path: Path, people: int) -> Path:
    """Write a tar of photos, one grey level a person, each straight, and turned to both sides."""
    lines = []
    with tarfile.open(path, "w") as archive:

        def add(name: str, content: bytes) -> None:
            info = tarfile.TarInfo(f"photos/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))

        for person in range(people):
            head = made_head(np.random.default_rng(person))
            for yaw in (0.0, 35.0, -35.0):
                points = project(head, Holding(yaw=float(np.radians(yaw))))
                points = (points - points.mean(axis=0)) * 60 + SIDE / 2
                name = f"{person}-{yaw:g}.png"
                grey = np.full((SIDE, SIDE, 3), 40 * (person + 1), np.uint8)
                add(name, cv2.imencode(".png", grey)[1].tobytes())
                faces = [{"box": [0, 0, 1, 1], "landmarks": points.tolist(), "score": 0.9}]
                lines.append(json.dumps({"file": name, "identity": str(person), "faces": faces}))
        add("labels.jsonl", "\n".join(lines).encode())
    return path


def by_grey(faces: Sequence[Picture]) -> Matrix:
    """Return a direction of its own for each grey level: an embedder that never errs."""
    levels = [int(np.median(face)) // 40 - 1 for face in faces]
    return np.eye(8, dtype=np.float32)[levels]


def by_nothing(faces: Sequence[Picture]) -> Matrix:
    """Return one direction for everybody: an embedder that knows nobody."""
    return np.tile(np.eye(8, dtype=np.float32)[0], (len(faces), 1))


def test_a_splice_passes_by_landmarks_and_not_by_identity(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos.tar", 4)
    heads = read_heads(photos)
    assert len(heads) == 12
    assert all(turn.passes() for turn in own_turns(heads))
    own, spliced = measure_links(heads, photos, by_grey, CALIBRATION, 1)
    assert (own.passed.value, own.attack) == (1.0, False)
    assert (spliced.passed.value, spliced.attack) == (0.0, True)
    assert spliced.passed.trials > own.passed.trials
    _, blind = measure_links(heads, photos, by_nothing, CALIBRATION, 1)
    assert blind.passed.value > 0.5


def test_a_turn_goes_from_straight_to_turned(tmp_path: Path) -> None:
    heads = read_heads(write_photos(tmp_path / "photos.tar", 1))
    turns = own_turns(heads)
    straight: list[RealHead] = [turn.straight for turn in turns]
    assert {head.file for head in straight} == {"0-0.png"}
    assert {turn.turned.file for turn in turns} == {"0-35.png", "0--35.png"}
