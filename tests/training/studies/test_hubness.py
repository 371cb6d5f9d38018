"""The grid of corrections: every setting has its line, and no strength changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.evaluation.made_people import write_people
from tests.training.made_data import TinyTeacher
from training.data.populations import Pool, read_people
from training.foundation.arrays import Matrix
from training.foundation.errors import CheckpointError
from training.networks.hubness import CrowdAware, HubnessCorrection
from training.networks.served import save_module
from training.recipes.build_recipe import joined_recipe, load_build_recipe
from training.studies.hubness import read_centres, try_settings, usual_crowd
from training.studies.validation_figures import TrialPeople

DIM = 16


def unit(rows: np.ndarray) -> Matrix:
    scaled: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


@pytest.fixture
def people(tmp_path: Path) -> TrialPeople:
    write_people(tmp_path / "val", {f"p{n}": 5 for n in range(12)})
    val = read_people(tmp_path, "val")
    random = np.random.default_rng(0)
    middles = random.normal(size=(12, DIM))[val.identities.numpy()]
    plain = unit(middles + 0.4 * random.normal(size=middles.shape))
    strangers = unit(random.normal(size=(400, DIM)))
    pools = [Pool("odd", np.arange(1, 400, 2)), Pool("even", np.arange(0, 400, 2))]
    return TrialPeople(val, plain, strangers, pools)


def test_every_setting_has_a_line_and_without_strength_single_pairs_rank_as_before(
    people: TrialPeople,
) -> None:
    centres = torch.from_numpy(unit(np.random.default_rng(1).normal(size=(6, DIM))))
    shipped = joined_recipe(load_build_recipe()).hubness
    settings = [
        shipped.model_copy(update={"strength": strength, "offset": offset, "nearest": 2})
        for strength in (0.0, 0.4)
        for offset in (0.2, 0.4)
    ]
    sheet = try_settings(people, centres, {2: usual_crowd(people, centres, 2)}, settings)
    assert {len(row) for row in sheet.rows} == {len(sheet.head)}
    assert [row[:3] for row in sheet.rows] == [
        ("0", "0.2", "2"),
        ("0", "0.4", "2"),
        ("0.4", "0.2", "2"),
        ("0.4", "0.4", "2"),
    ]
    assert sheet.rows[0][3:6] == sheet.rows[1][3:6]


def test_the_centres_are_read_from_a_model_that_has_some(tmp_path: Path) -> None:
    centres = torch.eye(DIM)[:5]
    correction = HubnessCorrection(centres, 0.3, 0.3, 0.2, 2)
    network = CrowdAware(TinyTeacher(1, DIM), correction)
    save_module(network, tmp_path / "with.pt", half=True)
    torch.testing.assert_close(read_centres(tmp_path / "with.pt"), centres)
    save_module(TinyTeacher(1, DIM), tmp_path / "without.pt", half=True)
    with pytest.raises(CheckpointError, match="no correction of hubs"):
        read_centres(tmp_path / "without.pt")
