"""Which rule makes one person of several photos, and what the guards of enrollment notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy, duplicate_similarity
from training.data.populations import read_people, read_pools, read_strangers
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.false_matches import MIN_PEOPLE
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import DEFAULT_TARGETS
from training.foundation.device import choose_device
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.studies.enrollment.faces import trial_faces
from training.studies.enrollment.guards import (
    GALLERY_PEOPLE,
    AgreementFigures,
    DuplicateFigures,
    FalseAlarm,
    agreement_figures,
    duplicate_figures,
    false_alarms,
)
from training.studies.enrollment.tables import guard_sheets, rule_sheets
from training.studies.enrollment.trial import Outcome, run_trial


class EnrollmentRecord(Record):
    """What the rules and the guards of enrollment did; guards by the name of their threshold."""

    rules: tuple[Outcome, ...]
    agreement: tuple[AgreementFigures, ...]
    duplicates: dict[str, tuple[DuplicateFigures, ...]]
    alarms: dict[str, tuple[FalseAlarm, ...]]


def run(
    data: Path,
    model: Path,
    *,
    device: str | None = None,
    tell: Callable[[str], None] = print,
) -> EnrollmentRecord:
    """Compare the ways from several photos to one person, and measure the enrollment guards.

    Raises ``DataError`` or ``CheckpointError`` where something is amiss.
    """
    manifest = ModelManifest.from_json(read_manifest(model))
    embedder = ExportedEmbedder(model, choose_device(device), CACHE)
    val, strangers = read_people(data, "val"), read_strangers(data)
    pools = read_pools(data / "strangers.csv", strangers.files, MIN_PEOPLE)
    faces = trial_faces(embedder, val, strangers)
    calibration = manifest.calibration
    stated = RiskPolicy(manifest, DEFAULT_TARGETS)
    thresholds = {
        f"guard of {people:,} people": (people, duplicate_similarity(manifest, stated, people))
        for people in GALLERY_PEOPLE
    }
    return EnrollmentRecord(
        rules=run_trial(faces, calibration, tell),
        agreement=agreement_figures(faces.val, faces.people, faces.strangers, pools, calibration),
        duplicates={
            name: duplicate_figures(faces.val, faces.people, limit)
            for name, (_, limit) in thresholds.items()
        },
        alarms={
            name: tuple(
                alarm
                for alarm in false_alarms(faces.strangers, pools, limit)
                if alarm.gallery == people
            )
            for name, (people, limit) in thresholds.items()
        },
    )


def tables(record: EnrollmentRecord) -> list[Sheet]:
    """Return the tables of the rules and of both guards."""
    guards = guard_sheets(record.agreement, record.duplicates, record.alarms)
    return rule_sheets(record.rules) + guards


def faults(record: EnrollmentRecord) -> list[str]:
    """Return a line for each gallery whose guard surely asks too often about new people."""
    return [
        f"too many alarms: {alarm}"
        for found in record.alarms.values()
        for alarm in found
        if alarm.broken
    ]
