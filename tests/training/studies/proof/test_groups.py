"""Errors by group: who is confused more often than others, and who is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.training.studies.proof.test_proof import made_population
from training.calibration.calibrate import CalibrationFaces
from training.data.populations import Pool
from training.foundation.arrays import IntArray, Matrix
from training.metrics.pairs import pairs_at_or_above
from training.metrics.reliability import ReliabilityBin
from training.studies.proof.groups import EVERYBODY, errors_by_group
from training.studies.proof.halves import divided
from training.studies.proof.pictures import draw_probabilities
from training.studies.proof.probabilities import TRAFFIC, ProvedProbabilities

PEOPLE = 200


def strangers_of_two_groups() -> Matrix:
    """Return strangers, one photo each; the second half look alike, the first do not."""
    random = np.random.default_rng(5)
    faces = random.normal(size=(2 * PEOPLE, 24))
    faces[PEOPLE:] += 2.0 * random.normal(size=24)
    rows: Matrix = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return rows


def faces_with(
    strangers: Matrix, pools: list[Pool], duplicates: IntArray | None
) -> CalibrationFaces:
    """Return 40 made people of four photos, and the strangers."""
    population = made_population(40, 4, seed=3)
    return CalibrationFaces(
        val=population.faces,
        people=population.people,
        val_files=tuple(str(row) for row in range(len(population.faces))),
        strangers=strangers,
        stranger_files=tuple(str(row) for row in range(len(strangers))),
        pools=pools,
        duplicates=duplicates,
    )


def test_the_group_that_looks_alike_is_confused_more_often_than_everybody() -> None:
    strangers = strangers_of_two_groups()
    pools = [Pool("plain", np.arange(PEOPLE)), Pool("alike", np.arange(PEOPLE, 2 * PEOPLE))]
    faces = faces_with(strangers, pools, None)
    everybody, plain, alike = errors_by_group(faces, 0.5)
    known = pairs_at_or_above(strangers, 0.5)[::3]  # a third of the matches is one person twice
    mended = errors_by_group(replace(faces, duplicates=known), 0.5)[0]
    assert round(mended.fmr.value / everybody.fmr.value, 2) == 0.67
    assert everybody.group == EVERYBODY
    assert everybody.over_all == 1.0
    assert plain.over_all < 1 < alike.over_all
    rows = strangers[PEOPLE:]
    pairs = (rows @ rows.T)[np.triu_indices(PEOPLE, 1)]
    assert abs(alike.fmr.value - (pairs >= 0.5).mean()) < 1e-9
    assert everybody.genuine_people == 40
    assert plain.genuine_people + alike.genuine_people == 40  # everybody resembles one of them


def test_halves_share_nobody_and_keep_what_is_known_of_doubles() -> None:
    strangers = strangers_of_two_groups()
    faces = faces_with(
        strangers,
        [Pool("alike", np.arange(PEOPLE, 2 * PEOPLE))],
        np.array([(0, 2), (0, 3), (1, 3)]),
    )
    fitted, tested = divided(faces)
    assert not set(fitted.people) & set(tested.people)
    assert not set(fitted.stranger_files) & set(tested.stranger_files)
    for half, name in ((fitted, "0"), (tested, "1")):
        assert half.duplicates is not None
        ((first, second),) = half.duplicates.tolist()
        assert half.stranger_files[first] == name
        assert half.stranger_files[second] == str(int(name) + 2)
        (pool,) = half.pools
        assert np.array_equal(half.strangers[pool.rows], half.strangers[PEOPLE // 2 :])


def test_probabilities_are_drawn_for_every_gallery_and_traffic(tmp_path: Path) -> None:
    bins = tuple(
        ReliabilityBin(low=low, high=low + 0.5, pairs=50, probability=low + 0.3, same=low + 0.2)
        for low in (0.0, 0.5)
    )
    proved = [
        ProvedProbabilities(
            people=people,
            photos=photos,
            traffic=traffic,
            attempts=100,
            ece=0.1,
            brier=0.1,
            log_loss=0.3,
            bins=bins,
        )
        for people in (10, 100)
        for photos in (1, 3)
        for traffic in TRAFFIC
    ]
    drawn = draw_probabilities(proved, tmp_path / "reliability.png")
    assert drawn.path.read_bytes().startswith(b"\x89PNG")
