"""What the enrollment guards catch and who they trouble, on validation people and strangers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from app.domain.agreement import find_outliers
from app.domain.calibration import Calibration
from app.domain.embeddings import as_embedding, mean_directions
from app.domain.policy import DUPLICATE_ALARMS
from training.data.populations import Pool, nearest_pools
from training.foundation.arrays import FloatArray, IntArray, Matrix
from training.metrics.estimates import Estimate, estimate_text
from training.metrics.intervals import bootstrap_mean, bootstrap_rate
from training.metrics.pairs import blocks

REQUEST_PHOTOS = (2, 3, 5)
#: Photos in the request, and photos under the other id.
DUPLICATE_PHOTOS = ((1, 1), (1, 3), (3, 3))
GALLERY_PEOPLE = (100, 1000)
DRAWS = 5
SEED = 20261123


@dataclass(frozen=True)
class AgreementFigures:
    """Requests of ``photos`` photos: of one person, or with one photo of a stranger among them.

    ``troubled``: requests of one person in which a photo is named. ``named``: right photos that
    are. ``caught``: strange photos that are named, of any stranger and of one of the person's own
    group as the embedder sees it.
    """

    photos: int
    troubled: Estimate
    named: Estimate
    caught: Estimate
    caught_of_group: Estimate | None


@dataclass(frozen=True)
class DuplicateFigures:
    """How often a person who is enrolled already is noticed at the second enrollment."""

    photos: int
    enrolled: int
    noticed: Estimate


@dataclass(frozen=True)
class FalseAlarm:
    """How often a new person of ``population`` resembles somebody among ``gallery`` others.

    ``broken`` where that is surely more often than the guard may ask.
    """

    population: str
    gallery: int
    rate: Estimate

    @property
    def broken(self) -> bool:
        """Whether even the lower bound lies above ``DUPLICATE_ALARMS``."""
        return self.rate.low > DUPLICATE_ALARMS

    def __str__(self) -> str:
        return f"{estimate_text(self.rate)} of {self.population} among {self.gallery:,}"


def agreement_figures(
    val: Matrix, people: IntArray, strangers: Matrix, pools: list[Pool], calibration: Calibration
) -> tuple[AgreementFigures, ...]:
    """Return the figures of the first guard for each number of photos."""
    kin = nearest_pools(val, people, strangers, pools)
    found = []
    for photos in REQUEST_PHOTOS:
        random = np.random.default_rng([SEED, photos])
        owners, named, caught, caught_kin = [], [], [], []
        for person in np.unique(people).tolist():
            rows = np.flatnonzero(people == person)
            for _ in range(DRAWS if len(rows) >= photos else 0):
                chosen = val[random.permutation(rows)[:photos]]
                owners.append(person)
                named.append(len(_outliers(chosen, calibration)))
                anybody = strangers[random.integers(len(strangers))]
                caught.append(_catches(chosen, anybody, calibration))
                if kin:
                    guest = strangers[random.choice(kin[person].rows)]
                    caught_kin.append(_catches(chosen, guest, calibration))
        trials, of = np.asarray(named, float), np.asarray(owners)
        found.append(
            AgreementFigures(
                photos=photos,
                troubled=bootstrap_rate(trials > 0, of),
                named=bootstrap_mean(trials / photos, of),
                caught=bootstrap_rate(np.asarray(caught, bool), of),
                caught_of_group=bootstrap_rate(np.asarray(caught_kin, bool), of) if kin else None,
            )
        )
    return tuple(found)


def _outliers(photos: Matrix, calibration: Calibration) -> tuple[int, ...]:
    return find_outliers([as_embedding(one) for one in photos], [], calibration).outliers


def _catches(photos: Matrix, guest: Matrix, calibration: Calibration) -> bool:
    """Say whether ``guest`` in the place of the last photo is named."""
    return len(photos) - 1 in _outliers(np.vstack([photos[:-1], guest]), calibration)


def duplicate_figures(
    val: Matrix, people: IntArray, threshold: float
) -> tuple[DuplicateFigures, ...]:
    """Return how often two enrollments of one person reach ``threshold``."""
    found = []
    for photos, enrolled in DUPLICATE_PHOTOS:
        random = np.random.default_rng([SEED, photos, enrolled])
        likenesses, owners = [], []
        for person in np.unique(people).tolist():
            rows = np.flatnonzero(people == person)
            for _ in range(DRAWS if len(rows) >= photos + enrolled else 0):
                drawn = val[random.permutation(rows)]
                ends = [drawn[:photos], drawn[photos : photos + enrolled]]
                middles = [mean_directions(end) for end in ends]
                likenesses.append(float(middles[0] @ middles[1]))
                owners.append(person)
        reached = np.asarray(likenesses) >= threshold
        found.append(
            DuplicateFigures(photos, enrolled, bootstrap_rate(reached, np.asarray(owners)))
        )
    return tuple(found)


def false_alarms(strangers: Matrix, pools: list[Pool], threshold: float) -> tuple[FalseAlarm, ...]:
    """Return how often somebody new reaches ``threshold`` with one of a gallery of strangers.

    One photo each; the mean over all galleries that can be drawn. Of a pool, the newcomer and the
    whole gallery are of one group and gender.
    """
    crowds = [("all strangers mixed", np.arange(len(strangers)))]
    crowds += [(pool.name, pool.rows) for pool in pools]
    found = []
    for name, rows in crowds:
        alike = _alike(strangers[rows], threshold)
        for size in (size for size in GALLERY_PEOPLE if size < len(rows)):
            alarms = 1.0 - _nobody_among(alike, len(rows) - 1, size)
            found.append(FalseAlarm(name, size, bootstrap_mean(alarms, np.arange(len(alarms)))))
    return tuple(found)


def _alike(faces: Matrix, threshold: float) -> IntArray:
    """Return how many of the others reach ``threshold`` with each face ``(N, D)``."""
    counts = [(block >= threshold).sum(axis=1) for _, block in blocks(faces, faces)]
    itself = np.einsum("nd,nd->n", faces, faces) >= threshold
    alike: IntArray = np.concatenate(counts) - itself
    return alike


def _nobody_among(alike: IntArray, others: int, size: int) -> FloatArray:
    """Return the chance that ``size`` of ``others``, drawn without replacement, hold none alike."""
    rest = others - alike
    logarithm = (
        gammaln(rest + 1) - gammaln(np.maximum(rest - size, 0) + 1)
        - gammaln(others + 1) + gammaln(others - size + 1)
    )  # fmt: skip
    chance: FloatArray = np.where(rest >= size, np.exp(logarithm), 0.0)
    return chance
