"""Promises on the half of the people that the policy has not seen."""

from __future__ import annotations

import dataclasses

import numpy as np

from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.policy import RiskPolicy, RiskTargets
from app.domain.tails import GenuineScores, ImpostorTail
from training.calibration.calibrate import CalibrationFaces, calibrate_embedder
from training.calibration.results import Calibration
from training.data.populations import Pool
from training.metrics.pairs import pairs_within
from training.recipes.build_recipe import CalibrateRecipe


class HalfPolicy:
    """A policy from one half of the validation people and strangers, and the other half."""

    def __init__(
        self,
        faces: CalibrationFaces,
        manifest: ModelManifest,
        targets: RiskTargets,
        settings: CalibrateRecipe,
    ) -> None:
        fitted_half, self.tested = divided(faces)
        calibration = calibrate_embedder(fitted_half, "half", None, settings)
        self.policy = RiskPolicy(with_calibration(manifest, calibration), targets)


def divided(faces: CalibrationFaces) -> tuple[CalibrationFaces, CalibrationFaces]:
    """Return two halves of the people, by turns; nobody is in both."""
    return _half(faces, 0), _half(faces, 1)


def _half(faces: CalibrationFaces, which: int) -> CalibrationFaces:
    val = np.nonzero(faces.people % 2 == which)[0]
    strangers = np.nonzero(np.arange(len(faces.strangers)) % 2 == which)[0]
    place = {int(row): position for position, row in enumerate(strangers)}
    found = faces.duplicates if faces.duplicates is not None else np.zeros((0, 2), np.int64)
    return CalibrationFaces(
        val=faces.val[val],
        people=faces.people[val],
        val_files=tuple(faces.val_files[row] for row in val),
        strangers=faces.strangers[strangers],
        stranger_files=tuple(faces.stranger_files[row] for row in strangers),
        pools=[
            Pool(pool.name, np.array([place[int(r)] for r in pool.rows if int(r) in place]))
            for pool in faces.pools
        ],
        duplicates=pairs_within(found, strangers),
    )


def with_calibration(manifest: ModelManifest, calibration: Calibration) -> ModelManifest:
    """Return the manifest with the tails, thresholds and genuine scores of another calibration."""
    identify = calibration.thresholds.identify
    return dataclasses.replace(
        manifest,
        tails=tuple(
            ImpostorTail(tail.population, tail.points, tail.extrapolated_below, tail.uppers)
            for tail in calibration.impostor_tails
        ),
        genuine=tuple(GenuineScores(one.photos, one.points) for one in calibration.genuine),
        centroid_shifts=tuple((one.photos, one.shift) for one in calibration.centroid_shifts),
        identify=Threshold(identify.similarity, identify.false_match_rate, identify.population),
    )
