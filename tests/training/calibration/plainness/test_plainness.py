"""The fit of plainness in small: renderings, resumed runs, and what comes into a model's folder."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.model_manifest import ModelManifest
from app.vision.plainness import read_plainness
from tests.embedding.made_models import write_model
from tests.training.evaluation.made_people import write_evaluation_data
from training.calibration.plainness.fit import faces_of, fit_plainness
from training.calibration.plainness.pictures import (
    FAMILIES,
    FAMILY_GROUPS,
    PLAIN,
    RenderedCrops,
    render_crops,
    usable,
)
from training.calibration.plainness.tables import plainness_sheets
from training.calibration.plainness.training import Schedule, train
from training.data.invented_people import invented_people
from training.data.odd_pictures.portrait import Portrait, on_canvas
from training.data.populations import read_people
from training.foundation.arrays import ByteImage
from training.foundation.errors import CheckpointError
from training.recipes.build_recipe import PlainnessRecipe

SETTINGS = PlainnessRecipe(people=12, crops=24, held_out=12, epochs=1.0, enrollment_share=0.005)
SHORT = Schedule(epochs=1.0, batch=8, steps_per_checkpoint=2)
WAYS = [(family, way) for family, ways in FAMILIES.items() for way in ways]


class RunEndedError(Exception):
    """Stands for a run that ends before its time."""


def end(_line: str) -> None:
    raise RunEndedError


def made_people(count: int) -> list[ByteImage]:
    """Return people who do not exist as stored crops, with a corner outside the photograph."""
    found = []
    for person in (invented_people() * 2)[:count]:
        picture = cv2.imread(str(person.photos[0]))
        assert picture is not None
        crop = np.maximum(cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA), 1)
        crop[:20, :50] = 0
        found.append(np.ascontiguousarray(crop[:, :, ::-1]).astype(np.uint8))
    return found


@pytest.fixture(scope="module")
def face() -> Portrait:
    picture = cv2.imread(str(invented_people()[0].photos[0]))
    assert picture is not None
    return on_canvas(cv2.resize(picture, (128, 128))[:, :, ::-1].astype(np.uint8))


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> RenderedCrops:
    place = tmp_path_factory.mktemp("crops") / "crops.npy"
    return render_crops(made_people(22), 44, place, "noise", seed=1, tell=lambda _: None)


@pytest.mark.parametrize(("family", "way"), WAYS)
def test_a_rendering_changes_a_face_and_repeats_itself(
    face: Portrait, family: str, way: str
) -> None:
    render = FAMILIES[family][way]
    for seed in range(4):
        odd = render(face, np.random.default_rng(seed))
        assert odd.shape == face.picture.shape
        assert odd.dtype == np.uint8
        assert np.abs(odd.astype(int) - face.picture).mean() > 0.3
        assert np.array_equal(odd, render(face, np.random.default_rng(seed)))


def test_every_family_comes_up_as_often_and_half_of_the_crops_are_plain(
    crops: RenderedCrops,
) -> None:
    assert crops.images.shape == (44, 3, 112, 112)
    counts = np.bincount(crops.family)
    assert counts.tolist() == [22] + [2] * len(FAMILIES)
    assert crops.families == (PLAIN, *FAMILIES)
    assert sorted(name for group in FAMILY_GROUPS for name in group) == sorted(FAMILIES)


def test_rendering_goes_on_where_it_was_interrupted(crops: RenderedCrops, tmp_path: Path) -> None:
    place = tmp_path / "crops.npy"
    with pytest.raises(RunEndedError):
        render_crops(made_people(22), 44, place, "noise", seed=1, rows_per_stamp=20, tell=end)
    said: list[str] = []
    again = render_crops(
        made_people(22), 44, place, "noise", seed=1, rows_per_stamp=20, tell=said.append
    )
    assert len(said) == 2
    assert np.array_equal(again.images, crops.images)
    with pytest.raises(CheckpointError, match="other crops"):
        render_crops(made_people(22), 44, place, "noise", seed=2)
    with pytest.raises(ValueError, match="more than 2 people"):
        render_crops(made_people(2), 5, tmp_path / "few.npy", "noise", seed=1)


def test_a_run_goes_on_to_the_bit_where_it_was_interrupted(
    crops: RenderedCrops, tmp_path: Path
) -> None:
    whole = train(crops, SHORT, tmp_path / "whole.pt", tell=lambda _: None)
    with pytest.raises(RunEndedError):
        train(crops, SHORT, tmp_path / "cut.pt", tell=end)
    resumed = train(crops, SHORT, tmp_path / "cut.pt", tell=lambda _: None)
    for name, weight in whole.state_dict().items():
        assert np.array_equal(weight, resumed.state_dict()[name]), name
    with pytest.raises(CheckpointError, match="another run"):
        train(crops, SHORT, tmp_path / "cut.pt", left_out=("bent",))


@pytest.mark.slow
def test_a_fit_puts_a_network_and_its_limit_into_the_models_folder(tmp_path: Path) -> None:
    data = write_evaluation_data(tmp_path / "data", pool=110)
    _write_fairface(data, people=12)
    for number, crop in enumerate(made_people(20)):
        (data / "val" / f"real-{number}").mkdir()
        assert cv2.imwrite(str(data / "val" / f"real-{number}" / "0001.png"), crop)
    model = write_model(tmp_path / "model")
    work = tmp_path / "run"
    fitted = fit_plainness(
        model, data, work, SETTINGS, schedule=SHORT, left_out=[("bent",)], tell=lambda _: None
    )
    manifest = ModelManifest.from_json(json.loads((model / "manifest.json").read_text()))
    assert manifest.plainness == fitted.entry
    assert manifest.enrollment_limits.min_plainness == fitted.entry.min_enrollment
    served = read_plainness(model, manifest.plainness)
    assert served is not None
    faces = faces_of(read_people(data, "val"))
    measured = np.array([served.measure(one) for one in faces[usable(faces)]])
    assert len(measured) >= 10
    assert (measured < fitted.entry.min_enrollment).sum() <= 0.005 * len(faces)
    assert (measured < fitted.entry.min_enrollment + 0.0011).any()
    assert set(fitted.caught) == {PLAIN, *FAMILIES}
    assert set(fitted.unseen) == {"bent"}
    assert {"LFW", "masked faces", "strangers, north"} <= set(fitted.plain)
    assert [len(sheet.rows) for sheet in plainness_sheets(fitted)] == [
        len(fitted.plain),
        len(fitted.caught),
    ]
    again = fit_plainness(model, data, work, SETTINGS, schedule=SHORT, tell=lambda _: None)
    assert again.entry == fitted.entry


def _write_fairface(data: Path, people: int) -> None:
    rows = ["file,gender,group,age"]
    for archive in ("fairface-0", "fairface-1", "masks"):
        folder = data / archive
        folder.mkdir()
        for number, crop in enumerate(made_people(people)):
            assert cv2.imwrite(str(folder / f"{archive}-{number}.png"), crop)
            rows.append(f"{archive}-{number}.png,female,north,30")
        with tarfile.open(data / f"{archive}.tar", "w") as tar:
            tar.add(folder, arcname=archive)
    (data / "fairface.csv").write_text("\n".join(rows) + "\n")
