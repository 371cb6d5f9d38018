from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.golden import golden_input
from tests.embedding.made_models import TinyEmbedder, write_model
from tests.training.evaluation.made_people import made_people, strangers, write_evaluation_data
from training.cli.app import app
from training.data.populations import Pool
from training.studies.enrollment.guards import agreement_figures, duplicate_figures, false_alarms
from training.studies.enrollment.rules import RULES
from training.studies.enrollment.tables import guard_sheets, rule_sheets
from training.studies.enrollment.trial import (
    CONDITIONS,
    PHOTOS,
    Outcome,
    TrialFaces,
    guard,
    run_trial,
)

CALIBRATION = Calibration((PlattCalibration(1, 20.0, -9.0),))


@pytest.fixture(scope="module")
def outcomes() -> tuple[Outcome, ...]:
    faces, people, _ = made_people([9, 8, 7, 9, 8, 7, 2, 2, 3, 2, 2, 3] * 4, noise=0.5, seed=3)
    poor, _, _ = made_people([9, 8, 7, 9, 8, 7, 2, 2, 3, 2, 2, 3] * 4, noise=2.5, seed=3)
    weights = np.ones(len(faces))
    made = TrialFaces(faces, poor, weights, 0.1 * weights, people, strangers(400))
    return run_trial(made, CALIBRATION, lambda _: None)


def only(outcomes: tuple[Outcome, ...], rule: str, guarded: bool, condition: str) -> Outcome:
    (found,) = (
        o
        for o in outcomes
        if (o.rule, o.guarded, o.condition, o.photos) == (rule, guarded, condition, 3)
    )
    return found


def test_every_rule_meets_every_condition(outcomes: tuple[Outcome, ...]) -> None:
    kinds = {(o.rule, o.guarded, o.photos, o.condition) for o in outcomes}
    assert len(kinds) == len(outcomes) == 2 * len(RULES) * len(PHOTOS) * len(CONDITIONS)
    assert {o.people for o in outcomes} == {24}


def test_a_guard_takes_back_what_a_wrong_photo_costs(outcomes: tuple[Outcome, ...]) -> None:
    clean = only(outcomes, "max over photos", False, "clean")
    wrong = only(outcomes, "max over photos", False, "wrong")
    guarded = only(outcomes, "max over photos", True, "wrong")
    assert clean.let_in is None
    assert wrong.let_in is not None
    assert guarded.let_in is not None
    assert wrong.let_in.value > 0.3
    assert guarded.let_in.value < 0.1
    assert only(outcomes, "mean", True, "wrong").fnir.value <= (
        only(outcomes, "mean", False, "wrong").fnir.value
    )


def test_weights_help_where_the_poor_photos_are_known(outcomes: tuple[Outcome, ...]) -> None:
    weighted = only(outcomes, "quality-weighted mean", False, "poor")
    assert weighted.more_than_mean.value <= 0
    for outcome in outcomes:
        if (outcome.rule, outcome.guarded) == ("mean", False):
            assert outcome.more_than_mean.value == 0


def test_the_guard_leaves_the_majority_and_enrolls_nobody_without_one() -> None:
    one, other = np.eye(16, dtype=np.float32)[:2]
    gallery = np.stack([[one, one, other], [one, other, -one - other]])
    gallery /= np.linalg.norm(gallery, axis=2, keepdims=True)
    assert guard(gallery, CALIBRATION).tolist() == [[1, 1, 0], [0, 0, 0]]


def test_guard_figures_tell_right_from_wrong() -> None:
    faces, people, _ = made_people([8] * 30, noise=0.3)
    crowd = strangers(500)
    pools = [Pool("even", np.arange(0, 500, 2)), Pool("odd", np.arange(1, 500, 2))]
    agreement = agreement_figures(faces, people, crowd, pools, CALIBRATION)
    for figures in agreement:
        assert figures.named.value <= figures.troubled.value < 0.1
        assert figures.caught.value > 0.9
        assert figures.caught_of_group is not None
    duplicates = duplicate_figures(faces, people, 0.6)
    assert duplicates[0].noticed.value <= duplicates[-1].noticed.value
    alarms = false_alarms(crowd, pools, 0.6)
    assert [(a.population, a.gallery) for a in alarms] == [
        ("all strangers mixed", 100),
        ("even", 100),
        ("odd", 100),
    ]
    sheets = guard_sheets(agreement, {"verify": duplicates}, {"verify": alarms})
    for sheet in sheets:
        assert {len(row) for row in sheet.rows} == {len(sheet.head)}


def test_false_alarms_are_those_of_drawn_galleries() -> None:
    crowd = strangers(150, seed=5)
    (figure,) = false_alarms(crowd, [], 0.55)
    random = np.random.default_rng(0)
    hits = []
    for _ in range(600):
        newcomer, *gallery = random.choice(150, 101, replace=False).tolist()
        hits.append(bool((crowd[gallery] @ crowd[newcomer] >= 0.55).any()))
    assert figure.rate.value == pytest.approx(np.mean(hits), abs=0.06)
    assert figure.broken  # a guard at so low a threshold asks about too many
    assert not false_alarms(crowd, [], 0.95)[0].broken


def test_tables_hold_every_figure(outcomes: tuple[Outcome, ...]) -> None:
    for sheet in rule_sheets(outcomes):
        assert {len(row) for row in sheet.rows} == {len(sheet.head)}
        assert len(sheet.rows) == 2 * len(RULES)


def cheap_model(folder: Path) -> Path:
    """Write a model of a few weights, which tells pictures apart well enough for its tails."""
    network = TinyEmbedder(dim=48)
    golden = network(torch.from_numpy(golden_input(112)))[0].tolist()
    changes = {
        "embedding_dim": 48,
        "golden": {"embedding": golden, "min_similarity": 0.999},
    }
    return write_model(folder, lambda document: document.update(changes), network)


@pytest.mark.slow
def test_the_command_writes_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = write_evaluation_data(tmp_path / "data", pool=10), cheap_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)  # where answers are kept
    common = ["--model", str(model), "--data", str(data), "--device", "cpu", "--out"]
    out = tmp_path / "enrollment.md"
    result = CliRunner().invoke(app, ["study", "enrollment", *common, str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_text().startswith("**FNIR at FPIR 1 %")
