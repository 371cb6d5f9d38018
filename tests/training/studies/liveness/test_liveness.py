from __future__ import annotations

import io
import json
import math
import tarfile
from pathlib import Path

import numpy as np
import pytest

from app.domain.challenges import MotionLimits
from app.domain.head_motion import HeadView
from app.vision.decode import DecodeLimits, decode_photo
from app.vision.detector import FaceDetector
from app.vision.weights import read_detector_weights
from training.foundation.errors import DataError
from training.studies.liveness.head_warp import turned_head
from training.studies.liveness.measure import measure_motion
from training.studies.liveness.noise import measure_noise
from training.studies.liveness.pictures import measure_pictures, view_of
from training.studies.liveness.projection import Holding, bent, made_head, printed, project
from training.studies.liveness.real_heads import measure_real_heads, read_heads

PERSON = Path(__file__).resolve().parents[3] / "fixtures" / "people" / "person-01"


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(read_detector_weights(None))


def test_heads_pass_and_pictures_do_not() -> None:
    level = measure_motion(0.01, 100, 1)
    rates = {check.kind: check.passed.value for check in level.checks}
    assert rates["head, turned by 40 degrees"] > 0.8
    assert rates["flat photo, tilted by 20 to 60 degrees"] < 0.05
    assert rates["bent photo, radius 76 mm (a head's)"] < 0.05
    # What the check cannot see is measured as well.
    assert rates["two photos from two sides, or a replayed video"] > 0.8


def test_a_deeper_nose_is_asked_of_heads_and_of_bent_photos() -> None:
    shallow, deep = (
        measure_motion(0.01, 30, 1, MotionLimits(nose_depth=depth)) for depth in (0.1, 0.45)
    )
    passed = [
        {check.kind: check.passed.value for check in level.checks} for level in (shallow, deep)
    ]
    bent = "bent photo, radius 32 mm (a bottle's)"
    assert passed[0][bent] > passed[1][bent]
    assert passed[0]["head, turned by 40 degrees"] > passed[1]["head, turned by 40 degrees"]


def test_more_scatter_is_no_help_to_anybody() -> None:
    clean, noisy = measure_motion(0.005, 40, 1), measure_motion(0.03, 40, 1)
    passed = [
        np.mean([check.passed.value for check in level.checks if not check.attack])
        for level in (clean, noisy)
    ]
    assert passed[0] >= passed[1]


def test_a_sheet_that_is_hardly_bent_looks_flat() -> None:
    sheet = printed(project(made_head(np.random.default_rng(2)), Holding()))
    holding = Holding(yaw=0.5, distance=8.0)
    flat, curved = project(sheet, holding), project(bent(sheet, 500.0, 0.3), holding)
    assert np.abs(flat - curved).max() < 0.2


def test_landmarks_scatter_little_under_retakes(detector: FaceDetector) -> None:
    noise = measure_noise(detector, PERSON, 1)
    assert noise.photos == 4
    assert 0 < noise.overall < 0.03
    assert noise.worst >= noise.overall


def test_a_folder_without_faces_says_so(detector: FaceDetector, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no face"):
        measure_noise(detector, tmp_path, 1)
    with pytest.raises(DataError, match="no face"):
        measure_pictures(detector, tmp_path, 1, 1)


def test_bent_photos_are_shown_to_the_detector_itself(detector: FaceDetector) -> None:
    checks = measure_pictures(detector, PERSON, 1, 1)
    assert [check.attack for check in checks] == [True] * 5 + [False] * 2
    assert all(check.passed.trials == 4 for check in checks)


@pytest.mark.parametrize("degrees", [-40, -20, 0, 20, 40])
def test_a_warped_head_is_seen_to_turn_as_it_was_turned(
    detector: FaceDetector, degrees: float
) -> None:
    photo = decode_photo((PERSON / "1.jpg").read_bytes(), DecodeLimits())
    straight = view_of(detector.detect(photo)[0].landmarks)
    turned = turned_head(photo, straight, math.radians(degrees))
    seen = view_of(detector.detect(turned)[0].landmarks)
    assert turned.shape == photo.shape
    # Noses and landmarks are what they are: the pose is rough, and too small where turned far.
    assert seen.yaw_degrees - straight.yaw_degrees == pytest.approx(0.8 * degrees, abs=9)


def test_the_warp_of_a_head_is_its_mirror_image_for_the_other_side() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 81, 3)).astype(np.uint8)
    points = ((30.0, 20.0), (50.0, 20.0), (40.0, 30.0), (33.0, 42.0), (47.0, 42.0))
    straight = HeadView(points, 0.0)
    left = turned_head(picture, straight, 0.5)
    right = turned_head(np.ascontiguousarray(picture[:, ::-1]), straight, -0.5)
    difference = np.abs(left.astype(int) - right[:, ::-1].astype(int))
    assert np.median(difference) <= 1


def labels(tmp_path: Path, *yaws: float) -> Path:
    head = made_head(np.random.default_rng(4))
    lines = []
    for number, yaw in enumerate(yaws):
        image = project(head, Holding(yaw=float(np.radians(yaw))))
        faces = [{"box": [0, 0, 1, 1], "landmarks": image.tolist(), "score": 0.9}]
        lines.append(json.dumps({"file": f"{number}.jpg", "identity": "one", "faces": faces}))
    content = "\n".join(lines).encode()
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("photos/labels.jsonl")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return path


def test_straight_and_turned_photos_of_one_person_are_paired(tmp_path: Path) -> None:
    check = measure_real_heads(read_heads(labels(tmp_path, 0, 35, -35)))
    assert (check.passed.trials, check.passed.value) == (2, 1.0)
    with pytest.raises(DataError, match="straight and turned"):
        measure_real_heads(read_heads(labels(tmp_path, 0, 5)))
