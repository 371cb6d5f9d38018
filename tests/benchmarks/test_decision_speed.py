"""What one decision costs: many probes at once, as a proof asks, and one, as a door does.

The ratio is to deciding each probe by sorting everybody, as the proof did before it called the
service's own decision.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.decision import AMBIGUITY_MARGIN, Evidence, decide
from app.domain.matching import GallerySimilarities
from app.domain.verdict import Verdict

pytestmark = pytest.mark.benchmark

CALIBRATION = Calibration((PlattCalibration(1, 30.0, -12.0), PlattCalibration(3, 33.0, -12.0)))


def made_similarities(probes: int, people: int, *, enrolled: bool) -> GallerySimilarities:
    """Return what strangers say of a gallery, or employees, each of whom one person is."""
    random = np.random.default_rng(0)
    similarities = (0.05 * random.normal(size=(probes, people))).astype(np.float32)
    if enrolled:
        similarities[np.arange(probes), np.arange(probes) % people] = 0.9
    keys = np.arange(people, dtype=np.int64)
    return GallerySimilarities(keys, similarities, random.integers(1, 4, people))


def decided(compared: GallerySimilarities) -> list[Verdict]:
    evidence = Evidence.of(compared, CALIBRATION)
    return [one.verdict for one in decide(evidence, lambda _: 0.5, lambda _: ())]


def decided_by_sorting(compared: GallerySimilarities) -> list[Verdict]:
    found = []
    for row in compared.similarities:
        ratios = CALIBRATION.log_likelihood_ratios(row, compared.photo_counts)
        order = np.argsort(-ratios)
        near = ratios[order[0]] - ratios[order[1]] < AMBIGUITY_MARGIN
        known = Verdict.AMBIGUOUS if near else Verdict.KNOWN
        found.append(known if row[order[0]] >= 0.5 else Verdict.UNKNOWN)
    return found


def cpu_us(action: Callable[[], object], probes: int, rounds: int = 5) -> float:
    """Return the least CPU time a probe, in microseconds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return min(times) / probes * 1e6


@pytest.mark.parametrize("enrolled", [True, False], ids=["employees", "strangers"])
@pytest.mark.parametrize("people", [100, 1000])
def test_a_thousand_probes_of_a_proof(people: int, enrolled: bool) -> None:
    compared = made_similarities(1000, people, enrolled=enrolled)
    assert decided(compared) == decided_by_sorting(compared)
    now = cpu_us(lambda: decided(compared), 1000)
    before = cpu_us(lambda: decided_by_sorting(compared), 1000)
    print(f"{people} enrolled: {now:.1f} us a probe, by sorting {before:.1f} ({before / now:.1f}x)")


def test_one_probe_at_a_door() -> None:
    for people in (100, 10_000):
        compared = made_similarities(1, people, enrolled=True)
        cost = cpu_us(partial(decided, compared), 1, 50)
        print(f"{people} enrolled, one probe: {cost:.0f} us")
