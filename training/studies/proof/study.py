"""Whether stated risks are kept, by strangers counted, and probabilities compared with truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from app.domain.model_manifest import ModelManifest
from app.domain.policy import PromiseFor, RiskPolicy, RiskTargets, duplicate_similarity
from training.calibration.calibrate import CalibrationFaces
from training.calibration.people import read_faces
from training.data.crops import CropSet
from training.data.populations import read_people
from training.evaluation.embedders import ExportedEmbedder, read_manifest
from training.evaluation.kept_answers import CACHE
from training.evaluation.served import DEFAULT_TARGETS
from training.foundation.arrays import IntArray
from training.foundation.device import choose_device
from training.foundation.records import Record
from training.foundation.sheets import Sheet
from training.metrics.estimates import estimate_text
from training.recipes.build_recipe import load_build_recipe
from training.recipes.recipe import load_recipe
from training.studies.planted_audit.twins import blend_twins, plan_twins
from training.studies.proof.choices import ChoiceOutcome, compare_choices
from training.studies.proof.groups import EVERYBODY, GroupErrors, errors_by_group
from training.studies.proof.halves import HalfPolicy
from training.studies.proof.look_alikes import LookAlikeTrial, prove_look_alikes
from training.studies.proof.probabilities import ProvedProbabilities, prove_probabilities
from training.studies.proof.promises import KeptPromise, Population, prove_promises
from training.studies.proof.tables import (
    choice_sheet,
    group_sheet,
    probability_sheet,
    promise_sheet,
    verdict_sheet,
)
from training.studies.proof.verdicts import VerdictShares, prove_verdicts

SIZES = (10, 30, 100, 300, 1000)
RISKS = (0.1, 0.03, 0.01, 0.003, 0.001)
PROVED_SIZES = (10, 100, 1000)
GROUP_GALLERY = 100
CHOICE_SIZES = (30, 100, 300)
ROUNDS = 20
VERDICT_ROUNDS = 5
TWINS, TWIN_PHOTOS = 50, 3
CLAIMS = "1:1"
TARGETS = RiskTargets(max(RISKS), DEFAULT_TARGETS.fmr)  # each promise names its own rate


class ProofRecord(Record):
    """Everything that was tried of one model; ``groups`` by what was promised and its scope."""

    sha256: str | None
    groups: dict[str, tuple[GroupErrors, ...]]
    promises: tuple[KeptPromise, ...]
    choices: tuple[ChoiceOutcome, ...]
    probabilities: tuple[ProvedProbabilities, ...]
    verdicts: tuple[VerdictShares, ...]
    look_alikes: LookAlikeTrial


def run(data: Path, model: Path, *, recipe: str = "all", device: str | None = None) -> ProofRecord:
    """Count strangers taken for somebody, and compare probabilities with the truth.

    The teachers of ``recipe`` find people who are in the data twice.
    """
    chosen = choose_device(device)
    embedder = ExportedEmbedder(model, chosen, CACHE)
    manifest = ModelManifest.from_json(read_manifest(model))
    lfw = read_people(data, "lfw")
    test = Population("LFW", embedder.embed(lfw), lfw.identities.numpy())
    settings = load_build_recipe().calibrate
    faces = read_faces(embedder, data, load_recipe(recipe), CACHE, chosen, settings)
    promises = prove_promises(test, RiskPolicy(manifest, TARGETS), SIZES, RISKS, 3, ROUNDS)
    halved = HalfPolicy(faces, manifest, TARGETS, settings)
    promises += prove_halves(halved)
    outcomes = choice_outcomes(halved)
    proved = prove_probabilities(test, manifest.calibration, PROVED_SIZES[:2], 3, 5)
    proved += prove_probabilities(test, manifest.calibration, PROVED_SIZES, 1, 5)
    groups = group_errors(halved)
    policy = RiskPolicy(manifest, DEFAULT_TARGETS)
    answered = [
        one
        for photos in (3, 1)
        for one in prove_verdicts(
            test, manifest.calibration, policy, PROVED_SIZES, photos, VERDICT_ROUNDS
        )
    ]
    return ProofRecord(
        sha256=embedder.sha256,
        groups={title: tuple(errors) for title, errors in groups.items()},
        promises=tuple(promises),
        choices=tuple(outcomes),
        probabilities=tuple(proved),
        verdicts=tuple(answered),
        look_alikes=_twins(lfw, test, embedder, manifest, policy),
    )


def tables(record: ProofRecord) -> list[Sheet]:
    """Return the tables of promises, choices, groups, probabilities and verdicts."""
    twins = record.look_alikes
    return [
        promise_sheet(list(record.promises)),
        choice_sheet(list(record.choices)),
        *(group_sheet(title, list(errors)) for title, errors in record.groups.items()),
        probability_sheet(list(record.probabilities)),
        verdict_sheet([*record.verdicts, *twins.rows]),
    ]


def faults(record: ProofRecord) -> list[str]:
    """Return a line for each promise that was broken, and each group that its errors break."""
    broken = [str(kept) for kept in record.promises if kept.broken]
    return broken + broken_claims(record.groups)


def remarks(record: ProofRecord) -> list[str]:
    """Return in words how many promises were kept, what nobody promised, and who was noticed."""
    return [
        counted(record.promises),
        *exceeded_where_not_promised(record.promises, record.groups),
        f"twins noticed at enrollment: {estimate_text(record.look_alikes.noticed)}",
    ]


def counted(promises: Sequence[KeptPromise]) -> str:
    """Return in words how many promises were given and kept."""
    lines = []
    for promise_for in PromiseFor:
        named = [kept for kept in promises if kept.named and kept.promise_for is promise_for]
        given = [kept for kept in named if kept.supported]
        lines.append(
            f"promises to {promise_for}: {sum(not kept.broken for kept in given)} of {len(given)} "
            f"kept; for {len(named) - len(given)} more the data supports none"
        )
    return "\n".join(lines)


def exceeded_where_not_promised(
    promises: Sequence[KeptPromise], groups: Mapping[str, Sequence[GroupErrors]]
) -> list[str]:
    """Return plainly what a promise to mixed strangers does to staffs and claims of one group."""
    beside = [kept for kept in promises if not kept.named and kept.supported]
    exceeded = [str(kept) for kept in beside if kept.exceeded]
    claims = _exceeded_claims(groups, named=False)
    return [
        f"{PromiseFor.MIXED} does not speak to a staff of one group, and is exceeded there in "
        f"{len(exceeded)} of {len(beside)} trials of 1:N and {len(claims)} groups of 1:1:",
        *(f"  exceeded: {line}" for line in exceeded + claims),
    ]


def broken_claims(groups: Mapping[str, Sequence[GroupErrors]]) -> list[str]:
    """Return a line for each group in which false claims surely pass more often than promised."""
    return _exceeded_claims(groups, named=True)


def _exceeded_claims(groups: Mapping[str, Sequence[GroupErrors]], *, named: bool) -> list[str]:
    """Return claims that surely pass too often, within the title's choice or outside it."""
    return [
        f"{title}: FMR {estimate_text(one.fmr)} of {one.group}"
        for title, errors in groups.items()
        if title.startswith(CLAIMS)
        for one in errors
        if one.fmr.low > TARGETS.fmr
        and (one.group == EVERYBODY or _for(PromiseFor.WORST_GROUP) in title) is named
    ]


def _for(promise_for: PromiseFor) -> str:
    return f"promised to {promise_for}"


def _twins(
    lfw: CropSet,
    test: Population,
    embedder: ExportedEmbedder,
    manifest: ModelManifest,
    policy: RiskPolicy,
) -> LookAlikeTrial:
    """Try twins blended of LFW people at a gallery of the size that groups are judged at."""
    plans = plan_twins(test.people, TWINS, TWIN_PHOTOS)
    return prove_look_alikes(
        test,
        plans,
        embedder.embed(blend_twins(lfw, plans)),
        manifest.calibration,
        policy,
        duplicate_similarity(manifest, policy, GROUP_GALLERY),
        GROUP_GALLERY,
    )


def prove_halves(halved: HalfPolicy) -> list[KeptPromise]:
    """Try the half that the policy has not seen.

    Galleries and strangers of all groups mixed, of one group, and of one group and gender: a staff
    is rarely a mixture of the world.
    """
    kept = []
    for name, rows, mixed in half_populations(halved.tested):
        within = halved.tested.strangers[rows]
        population = Population(f"half of {name}", within, np.arange(len(within)), mixed)
        kept += prove_promises(population, halved.policy, SIZES, RISKS, 1, ROUNDS)
    return kept


def choice_outcomes(halved: HalfPolicy) -> list[ChoiceOutcome]:
    """Return what either promise costs the people of the half that the policy has not seen."""
    fpir = DEFAULT_TARGETS.fpir
    return [
        one
        for photos in (3, 1)
        for one in compare_choices(halved.tested, halved.policy, fpir, CHOICE_SIZES, photos, ROUNDS)
    ]


def half_populations(faces: CalibrationFaces) -> Iterator[tuple[str, IntArray, bool]]:
    """Yield name, rows and whether mixed, of everybody, each group, and each group and gender.

    Of two strangers who are one person, everybody holds the first only.
    """
    twice = faces.duplicates if faces.duplicates is not None else np.zeros((0, 2), np.int64)
    yield "all strangers", np.setdiff1d(np.arange(len(faces.strangers)), twice[:, 1]), True
    groups: dict[str, list[IntArray]] = {}
    for pool in faces.pools:
        groups.setdefault(pool.name.rsplit(" ", 1)[0], []).append(pool.rows)
    for name, parts in groups.items():
        if len(parts) > 1:
            yield name, np.concatenate(parts), False
    for pool in faces.pools:
        yield pool.name, pool.rows, False


def group_errors(halved: HalfPolicy) -> dict[str, list[GroupErrors]]:
    """Return the errors of single photos by group, on the half that the policy has not seen."""
    policy, tested = halved.policy, halved.tested
    found = {}
    for promise_for in PromiseFor:
        for name, rate, people in (
            (f"{CLAIMS}, stated FMR {TARGETS.fmr:g}", TARGETS.fmr, 1),
            (
                f"1:N, stated FPIR {DEFAULT_TARGETS.fpir:g}, {GROUP_GALLERY} enrolled",
                DEFAULT_TARGETS.fpir,
                GROUP_GALLERY,
            ),
        ):
            promise = policy.promise(rate, people, photos=1, promise_for=promise_for)
            similarity = promise.threshold.similarity
            title = f"{name}, {_for(promise_for)}, threshold {similarity:.3f}"
            found[title] = errors_by_group(tested, similarity)
    return found
