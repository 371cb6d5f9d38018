"""Whether probabilities can be taken at their word, whatever the gallery and the traffic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.calibration import Calibration, gallery_posterior
from app.domain.embeddings import mean_directions
from training.foundation.arrays import BoolArray, FloatArray, IntArray
from training.foundation.records import Record
from training.metrics.reliability import (
    ReliabilityBin,
    calibration_error,
    equal_width_bins,
    log_losses,
    reliability_bins,
    squared_errors,
)
from training.studies.proof.promises import SEED, Population, rows_of_everybody

#: Share of strangers in the traffic; the service is told the same share as its prior.
TRAFFIC = {"genuine": 0.02, "mixed": 0.5, "stranger": 0.98}


class ProvedProbabilities(Record):
    """How the probability of the best answer (one employee, or nobody) compares with the truth."""

    people: int
    photos: int
    traffic: str
    attempts: int
    ece: float
    brier: float
    log_loss: float
    bins: tuple[ReliabilityBin, ...]


def prove_probabilities(
    population: Population,
    calibration: Calibration,
    sizes: Sequence[int],
    photos: int,
    rounds: int,
) -> list[ProvedProbabilities]:
    """Judge the probability of the most probable answer against what was true."""
    random = np.random.default_rng(SEED + 1)
    rows_of = rows_of_everybody(population)
    proved = []
    for size in sizes:
        for name, strangers in TRAFFIC.items():
            pairs = [
                _attempts(population, rows_of, calibration, size, photos, strangers, random)
                for _ in range(rounds)
            ]
            probabilities = np.concatenate([pair[0] for pair in pairs])
            right = np.concatenate([pair[1] for pair in pairs])
            bins = equal_width_bins(probabilities)
            ones = np.ones(len(right))
            proved.append(
                ProvedProbabilities(
                    people=size,
                    photos=photos,
                    traffic=name,
                    attempts=len(right),
                    ece=calibration_error(probabilities, right, bins, ones),
                    brier=float(squared_errors(probabilities, right).mean()),
                    log_loss=float(log_losses(probabilities, right).mean()),
                    bins=reliability_bins(probabilities, right),
                )
            )
    return proved


def _attempts(
    population: Population,
    rows_of: list[IntArray],
    calibration: Calibration,
    size: int,
    photos: int,
    strangers: float,
    random: np.random.Generator,
) -> tuple[FloatArray, BoolArray]:
    """Return the probability of the best answer of each attempt, and whether it was right."""
    several = [rows for rows in rows_of if len(rows) > photos]
    order = random.permutation(len(several))
    shuffled = [random.permutation(several[number]) for number in order[:size]]
    faces = population.faces
    centroids = np.stack([mean_directions(faces[rows[:photos]]) for rows in shuffled])
    enrolled = {int(population.people[rows[0]]) for rows in shuffled}
    outside = [rows for rows in rows_of if int(population.people[rows[0]]) not in enrolled]
    count = 600
    is_stranger = random.random(count) < strangers
    counts = np.full(size, photos)
    probabilities, right = np.empty(count), np.zeros(count, bool)
    for attempt in range(count):
        owner = -1
        if is_stranger[attempt]:
            row = int(random.choice(outside[int(random.integers(len(outside)))]))
        else:
            owner = int(random.integers(size))
            row = int(random.choice(shuffled[owner][photos:]))
        ratios = calibration.log_likelihood_ratios(centroids @ faces[row], counts)
        people, nobody = gallery_posterior(ratios, strangers)
        best = int(people.argmax())
        if people[best] > nobody:
            probabilities[attempt], right[attempt] = people[best], best == owner
        else:
            probabilities[attempt], right[attempt] = nobody, owner < 0
    return probabilities, right
