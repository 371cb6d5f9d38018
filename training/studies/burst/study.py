"""What three and five frames gain over one: misses, calibration, refusals."""

from __future__ import annotations

from pathlib import Path

from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy
from training.data.populations import read_people, read_strangers
from training.evaluation.bursts import days_apart, one_moment, unseen_moment
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import DEFAULT_TARGETS
from training.foundation.device import choose_device
from training.foundation.sheets import Sheet
from training.metrics.estimates import Estimate
from training.metrics.intervals import SEED
from training.studies.burst.measure import FPIR, IdentifyThresholds, measure_bursts
from training.studies.burst.results import BurstReport, FusionFigures, LineCheck

GAINS = (
    "frames",
    "bursts (people)",
    f"FNIR % at FPIR {100 * FPIR:.0f} %",
    "weighted alike",
    "FNIR % at the policy's",
    "FPIR % there",
    "shift",
)
LINES = ("line fitted on", "slope, intercept", "Cllr", "ECE %")
REFUSALS = ("frames", "one person refused %", "one foreign frame missed %")
MAX_ENROLLED = 500  # of LFW; the shipped model can promise 1 % to somewhat more


def run(
    data: Path, model: Path, *, strangers: int = 1_500, device: str | None = None
) -> BurstReport:
    """Measure bursts of 1, 3 and 5 frames of the people below ``data``.

    ``strangers`` is how many are simulated. Raises ``DataError`` or ``CheckpointError``.
    """
    embedder = ExportedEmbedder(model, choose_device(device), CACHE)
    manifest = ModelManifest.from_json(read_manifest(model))
    people = read_people(data, "val")
    photos = embedder.embed(people)
    moment = one_moment(photos, people, read_strangers(data), embedder, strangers, SEED)
    unseen = unseen_moment(read_people(data, "lfw"), embedder, MAX_ENROLLED, strangers, SEED)
    trials = [days_apart(photos, people, SEED), moment, unseen]
    return BurstReport(
        model=embedder.name,
        sha256=embedder.sha256,
        kinds=tuple(
            measure_bursts(trial, manifest.calibration, _thresholds(manifest, len(trial.gallery)))
            for trial in trials
        ),
    )


def _thresholds(manifest: ModelManifest, people: int) -> IdentifyThresholds:
    """Return what the service asks for against so many people of one photo, by default."""
    policy = RiskPolicy(manifest, DEFAULT_TARGETS)
    single, fused = (
        policy.promise(DEFAULT_TARGETS.fpir, people, fused=fused, photos=1)
        for fused in (False, True)
    )
    return IdentifyThresholds(single.threshold.similarity, fused.threshold.similarity)


def faults(record: BurstReport, stated: float = DEFAULT_TARGETS.fpir) -> list[str]:
    """Return a line for every number of frames at which strangers surely pass too often."""
    return [
        f"{kind.source}, {row.frames} frames: FPIR {_percent(row.fpir_at_identify)} %, "
        f"stated {100 * stated:g} %"
        for kind in record.kinds
        for row in kind.fusion
        if row.fpir_at_identify.low > stated
    ]


def tables(record: BurstReport) -> list[Sheet]:
    """Return one table of gains and one of refusals for each kind of burst."""
    sheets = []
    for kind in record.kinds:
        name = f"{kind.source}, gallery of {kind.gallery_people} people of one photo"
        gains = tuple(
            (*(_gain_cells(row) if number == 0 else ("",) * len(GAINS)), *_line_cells(line))
            for row in kind.fusion
            for number, line in enumerate(row.lines)
        )
        sheets.append(Sheet(f"Bursts: {name}", (*GAINS, *LINES), gains))
        refusals = tuple(
            (str(one.frames), _percent(one.refused), _percent(one.missed)) for one in kind.mixtures
        )
        sheets.append(Sheet(f"Bursts refused: {kind.source}", REFUSALS, refusals))
    return sheets


def _gain_cells(row: FusionFigures) -> tuple[str, ...]:
    return (
        str(row.frames),
        f"{row.bursts} ({row.people})",
        _percent(row.fnir),
        _percent(row.plain_fnir),
        _percent(row.fnir_at_identify),
        _percent(row.fpir_at_identify),
        f"{row.shift:+.3f}",
    )


def _line_cells(line: LineCheck) -> tuple[str, ...]:
    fitted_on = "1 frame" if line.fitted_on == 1 else f"{line.fitted_on} frames"
    return (
        fitted_on,
        f"{line.slope:.1f}, {line.intercept:.2f}",
        f"{line.cllr:.3f}",
        _percent(line.ece),
    )


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f}-{100 * estimate.high:.1f})"
