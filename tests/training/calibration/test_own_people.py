"""A calibration on an operator's own people: who may take part, and what they support."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy, RiskTargets
from tests.domain.weak_models import weak_document
from tests.training.export.own_faces import write_identities, write_population
from training.calibration.own_calibration import read_crops_of
from training.calibration.own_people import (
    OwnPopulation,
    foreseen,
    leave_out_learned,
    load_faces,
    read_population,
)
from training.data.learning_data import LearningData
from training.data.learning_parts import LearningParts
from training.data.readers.folders import read_folders
from training.data.transform import load_images
from training.engines.learned_from import LearnedFrom, learned_from
from training.export.manifest import calibration_keys
from training.foundation.arrays import ByteImage, Matrix
from training.foundation.errors import DataError
from training.recipes.build_recipe import load_build_recipe
from training.recipes.transform_recipe import TransformRecipe

FIT = TransformRecipe(size=32, fit="stretch")
SHA256 = "a" * 64
SETTINGS = load_build_recipe().calibrate


def colours(faces: ByteImage) -> Matrix:
    """Return unit means of cells: a network that sees the made patterns well."""
    cells = faces.reshape(len(faces), 3, 8, 14, 8, 14).mean(axis=(3, 5)).reshape(len(faces), -1)
    centred = cells - cells.mean(axis=1, keepdims=True)
    rows: Matrix = (centred / np.linalg.norm(centred, axis=1, keepdims=True)).astype(np.float32)
    return rows


def blind(faces: ByteImage) -> Matrix:
    """Return a direction for each picture that says nothing of who it is."""
    rows = np.random.default_rng(0).normal(size=(len(faces), 16))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def learned(root: Path) -> LearnedFrom:
    """Return the record of a run that learned from the identities below a folder."""
    loaded = load_images(read_folders(root), FIT)
    data = LearningData(loaded.images, loaded.labels, loaded.keys, loaded.label_names)
    nothing = data.part(loaded.labels[:0])
    return learned_from(LearningParts(data, nothing, nothing, ()))


def population(root: Path) -> OwnPopulation:
    people, strangers = write_population(root)
    return read_population(str(people), str(strangers), None, align=False)


def test_a_calibration_promises_no_more_than_its_people_support(tmp_path: Path) -> None:
    crops = read_crops_of(population(tmp_path), print)
    result = crops.calibration(colours, "made", SHA256, SETTINGS)
    assert result.support is not None
    assert (result.support.people, result.support.photos, result.support.strangers) == (6, 18, 24)
    (tail,) = result.impostor_tails
    assert tail.points[-1][0] == pytest.approx(3 / 276)
    assert all(u > s for (_, s), u in zip(tail.points, tail.uppers, strict=True))
    document = {**weak_document(), **calibration_keys(result)}
    manifest = ModelManifest.from_json(document)
    policy = RiskPolicy(manifest, RiskTargets(0.13, 0.13))
    assert policy.rarest_attempt == pytest.approx(3 / 24)
    assert policy.promise(0.13, 5).kept
    assert not policy.promise(0.01, 5).kept


def test_it_says_before_it_runs_what_so_many_can_support(tmp_path: Path) -> None:
    found = population(tmp_path)
    said = "\n".join(foreseen(found))
    assert "6 people with 18 photos" in said
    assert "24 strangers, 276 pairs; they support a risk of 0.12 of an attempt" in said
    assert "rate of 0.011 of a comparison" in said
    assert "nothing is promised within one group" in said
    assert "ready face crops" in said


def test_groups_are_counted_for_themselves(tmp_path: Path) -> None:
    people, strangers = write_population(tmp_path)
    rows = [f"s{n:02d},{'north' if n < 13 else 'south' if n < 20 else ''}" for n in range(24)]
    groups = tmp_path / "groups.csv"
    groups.write_text("\n".join(["file,group", *rows]))
    found = read_population(str(people), str(strangers), groups, align=False)
    said = "\n".join(foreseen(found))
    assert "north: 13 strangers, 78 pairs" in said
    assert "south: 7 strangers are too few" in said
    result = read_crops_of(found, print).calibration(colours, "made", SHA256, SETTINGS)
    assert [tail.population for tail in result.impostor_tails][1:] == ["north"]
    assert result.support is not None
    assert result.support.small_groups == ("south",)
    manifest = ModelManifest.from_json({**weak_document(), **calibration_keys(result)})
    assert manifest.tails[1].rarest_attempt == pytest.approx(3 / 13)
    groups.write_text("file,group\nnobody.png,north\n")
    with pytest.raises(DataError, match="gives no group of any"):
        read_population(str(people), str(strangers), groups, align=False)


def test_those_whom_the_network_learned_from_are_refused(tmp_path: Path) -> None:
    """By name, though the pictures are others; and by picture, though the name is another."""
    found = population(tmp_path)
    other = np.random.default_rng(1).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    (tmp_path / "learned" / "p03").mkdir(parents=True)
    assert cv2.imwrite(str(tmp_path / "learned" / "p03" / "0.png"), other)
    write_identities(tmp_path / "learned", ["somebody"], 1, first=1)  # as p01 looks
    record = learned(tmp_path / "learned")
    with pytest.raises(DataError, match=r"2 of the identities were learned from \(p01, p03\)"):
        leave_out_learned(found, record, FIT, leave_out=False)
    kept, seen = leave_out_learned(found, record, FIT, leave_out=True)
    assert seen == ("p01", "p03")
    assert {item.label for item in kept.people.items} == {"p00", "p02", "p04", "p05"}


def test_a_record_names_nobody(tmp_path: Path) -> None:
    write_identities(tmp_path / "people", ["Ada Lovelace", "Alan Turing"], 2)
    record = learned(tmp_path / "people")
    assert "Ada" not in record.model_dump_json()
    assert not record.grey
    assert len(record.identities) == 2
    assert len(record.pictures) == 4


@pytest.mark.parametrize(
    ("people", "strangers", "said"),
    [(3, 24, "3 people with two photos or more and 24"), (6, 10, "and 10 strangers are left")],
)
def test_too_few_are_refused(tmp_path: Path, people: int, strangers: int, said: str) -> None:
    write_identities(tmp_path / "people", [f"p{n}" for n in range(people)], 2)
    write_identities(tmp_path / "others", [f"s{n}" for n in range(strangers)], 1, first=people)
    with pytest.raises(DataError, match=said):
        read_population(str(tmp_path / "people"), str(tmp_path / "others"), None, align=False)


def test_without_strangers_those_with_one_photo_are_strangers(tmp_path: Path) -> None:
    root = write_identities(tmp_path / "all", [f"p{n}" for n in range(5)], 3)
    write_identities(tmp_path / "all", [f"s{n:02d}" for n in range(12)], 1, first=5)
    found = read_population(f"folders:{root}", None, None, align=False)
    assert (len(found.people), len(found.strangers)) == (15, 12)


def test_nobody_is_among_both(tmp_path: Path) -> None:
    people, strangers = write_population(tmp_path)
    write_identities(strangers, ["p02"], 1)
    with pytest.raises(DataError, match="among the people and among the strangers: p02"):
        read_population(str(people), str(strangers), None, align=False)
    write_identities(strangers, ["z"], 1, first=2)
    (strangers / "p02" / "0.png").unlink()
    (strangers / "p02").rmdir()
    found = read_population(str(people), str(strangers), None, align=False)
    with pytest.raises(DataError, match=r"p02/0.png and z/0.png are one picture of p02 and of z"):
        read_crops_of(found, print)


def test_a_network_that_tells_nobody_apart_is_not_calibrated(tmp_path: Path) -> None:
    crops = read_crops_of(population(tmp_path), print)
    with pytest.raises(DataError, match="no more similar than different ones"):
        crops.calibration(_crossed, "made", SHA256, SETTINGS)


def _crossed(faces: ByteImage) -> Matrix:
    """Return embeddings by which strangers are alike and photos of one person are not."""
    if len(faces) == 24:
        return np.tile(np.eye(16, dtype=np.float32)[0], (24, 1))
    return blind(faces)


def test_crops_of_the_training_data_lose_their_margin(tmp_path: Path) -> None:
    write_identities(tmp_path / "people", ["p"], 1, side=128)
    written = cv2.imread(str(tmp_path / "people" / "p" / "0.png"))
    assert written is not None
    (face,) = load_faces(read_folders(tmp_path / "people"), align=False).faces
    np.testing.assert_array_equal(face.transpose(1, 2, 0), written[8:-8, 8:-8, ::-1])
