from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from app.domain.calibration import Calibration, PlattCalibration
from tests.training.evaluation.made_people import NameEmbedder, write_people
from tests.vision.pictures import smooth_noise
from training.data.crops import CropSet
from training.data.populations import read_people
from training.studies.enrollment.faces import made_poor, measure_crops, photo_weights, reduced
from training.studies.quality_limits.limits import gate_probes, measure_limits, spoil_all, steps
from training.studies.quality_limits.tables import exposure_sheet, limits_sheet

CALIBRATION = Calibration((PlattCalibration(1, 20.0, -8.0),))


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    write_people(tmp_path / "val", {f"p{n}": 5 for n in range(4)})
    people = read_people(tmp_path, "val")
    pictures = [smooth_noise(128, n, 40).transpose(2, 0, 1) for n in range(len(people))]
    return dataclasses.replace(people, images=torch.from_numpy(np.stack(pictures)))


def test_every_step_spoils_what_it_says(crops: CropSet) -> None:
    picture = np.ascontiguousarray(smooth_noise(128, 0, 40))
    for step in steps():
        spoilt = step.spoil(picture)
        assert spoilt.shape == picture.shape
        assert spoilt.dtype == np.uint8
        if step.kind in {"small", "blurred"}:
            assert np.abs(np.diff(spoilt.astype(int), axis=0)).mean() < (
                np.abs(np.diff(picture.astype(int), axis=0)).mean()
            )
        if step.kind in {"dark", "bright"}:
            assert (spoilt.mean() < picture.mean()) == (step.kind == "dark")
    (to_20,) = (step for step in steps() if step.amount == "mean 20")
    (quality,) = measure_crops(
        dataclasses.replace(
            crops.of(torch.tensor([0])),
            images=torch.from_numpy(to_20.spoil(picture).transpose(2, 0, 1).copy())[None],
        )
    )
    assert quality.brightness == pytest.approx(20, abs=0.5)
    (as_it_is,) = (step for step in steps() if step.kind == "as it is")
    assert (spoil_all(crops, as_it_is.spoil).images == crops.images).all()


def test_poor_photos_are_less_sharp_and_weigh_less(crops: CropSet) -> None:
    poor = made_poor(crops)
    before, after = measure_crops(crops), measure_crops(poor)
    assert all(less.sharpness < more.sharpness for less, more in zip(after, before, strict=True))
    weights = photo_weights(crops)
    assert ((weights >= 0.1) & (weights <= 1)).all()
    assert photo_weights(poor).mean() <= weights.mean()
    whole = np.full((128, 128, 3), 77, np.uint8)
    assert (reduced(whole, 20) == whole).all()


def test_limits_are_measured_for_every_step(crops: CropSet) -> None:
    told: list[str] = []
    measured = measure_limits(NameEmbedder(), crops, 0.5, CALIBRATION, told.append)
    assert len(measured) == len(told) == len(list(steps()))
    # This embedder goes by the file's name, whatever the picture.
    assert len({one.fnmr.value for one in measured}) == 1
    assert measured[0].fnmr.trials == 8
    assert all(one.cllr >= 0 for one in measured)
    assert all(0 <= one.ece <= 1 for one in measured)
    yaw = np.tile([3.0, -20.0, 100.0, 33.0, np.nan], 4)
    turned = measure_limits(NameEmbedder(), crops, 0.5, CALIBRATION, told.append, yaw)[
        len(measured) :
    ]
    assert {one.kind for one in turned} <= {"turned"}
    assert sum(one.fnmr.trials for one in turned) == 4  # of two probes each, one is in a bin
    for sheet in (limits_sheet(measured), exposure_sheet(measured)):
        assert {len(row) for row in sheet.rows} == {len(sheet.head)}


def test_what_a_limit_of_exposure_gains_is_the_error_of_the_rest(crops: CropSet) -> None:
    (clear, *_) = measure_crops(crops)
    clear = dataclasses.replace(clear, brightness=120.0)
    dark = dataclasses.replace(clear, brightness=30.0)
    noisy = dataclasses.replace(dark, contrast_to_noise=1.0)
    missed = np.array([False, True, False, True])
    gates = {
        one.limit: one for one in gate_probes([clear, clear, dark, noisy], missed, np.arange(4))
    }
    assert gates["door"].refused == 0.25
    assert gates["door"].fnmr is not None
    assert gates["door"].fnmr.value == pytest.approx(1 / 3)
    assert gates["door, until 2.2"].refused == 0.5
    assert gates["door, until 2.2"].fnmr is not None
    assert gates["door, until 2.2"].fnmr.value == 0.5
    nothing = gate_probes([noisy], missed[:1], np.arange(1))
    assert nothing[0].fnmr is None
