"""Fits how plain a face must be to be enrolled: network, limit, and what both cost and catch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from app.domain.golden import golden_input
from app.domain.model_manifest import ModelManifest
from app.domain.plainness import Plainness
from app.vision.plainness import PlainnessNetwork
from training.calibration.plainness.network import PlainFaceNetwork, as_onnx, log_odds
from training.calibration.plainness.pictures import (
    FAMILIES,
    RenderedCrops,
    people_of,
    render_crops,
    usable,
)
from training.calibration.plainness.training import Schedule, train
from training.data.crops import CropSet, as_cut, read_crops
from training.data.populations import read_people, read_pools, read_strangers
from training.foundation.arrays import BoolArray, ByteImage, Matrix
from training.foundation.errors import DataError
from training.foundation.files import write_text
from training.metrics.estimates import Estimate
from training.metrics.intervals import clopper_pearson
from training.recipes.build_recipe import PlainnessRecipe

FILE = "plainness.onnx"
#: Two runtimes, or two instruction sets, differ by less.
GOLDEN_TOLERANCE = 0.02
SEED = 11
_MIN_OF_A_GROUP = 100


@dataclass(frozen=True)
class FittedPlainness:
    """What was fitted and measured: ``plain`` pictures refused by source, ``caught`` by family.

    ``unseen`` is ``caught`` by networks that were trained without the family.
    """

    entry: Plainness
    plain: Mapping[str, Estimate]
    caught: Mapping[str, Estimate]
    unseen: Mapping[str, Estimate]


def fit_plainness(
    model: Path,
    data: Path,
    work: Path,
    settings: PlainnessRecipe,
    *,
    schedule: Schedule | None = None,
    left_out: Sequence[tuple[str, ...]] = (),
    tell: Callable[[str], object] = print,
) -> FittedPlainness:
    """Train the network of the model in ``model`` and put it, and its limit, into the folder.

    ``work`` keeps rendered crops and checkpoints, from which an interrupted run goes on. For each
    entry of ``left_out`` another network is trained without these families, a quarter as long, and
    tried on them. Raises ``DataError``, and ``CheckpointError`` where ``work`` is of another run.
    """
    schedule, share = schedule or Schedule(epochs=settings.epochs), settings.enrollment_share
    document = json.loads((model / "manifest.json").read_text())
    work.mkdir(parents=True, exist_ok=True)
    known, others = (
        _rendered(data / archive, people, count, work / place, tell)
        for archive, people, count, place in (
            ("fairface-0.tar", settings.people, settings.crops, "train.npy"),
            ("fairface-1.tar", settings.held_out, 2 * settings.held_out, "held-out.npy"),
        )
    )
    network = train(known, schedule, work / "plainness.pt", tell=tell)
    faces = faces_of(read_people(data, "val"))
    validation, counted = log_odds(network, faces), usable(faces)
    content = as_onnx(network)
    entry = _entry(content, network, _limit(validation, counted, share))
    PlainnessNetwork(content, entry)  # as it serves, it must give the golden answer
    document["plainness"] = manifest_block(entry, settings)
    ModelManifest.from_json(document)
    (model / FILE).write_bytes(content)
    write_text(model / "manifest.json", json.dumps(document, indent=1) + "\n")
    tell(f"written: {model / FILE}, limit {entry.min_enrollment:g}")
    unseen = {}
    for number, names in enumerate(left_out):
        shorter = dataclasses.replace(schedule, epochs=schedule.epochs / 4)
        blind = train(known, shorter, work / f"without-{number}.pt", left_out=names, tell=tell)
        found = _caught(blind, others, _limit(log_odds(blind, faces), counted, share))
        unseen.update({name: found[name] for name in names})
    limit = entry.min_enrollment
    return FittedPlainness(
        entry=entry,
        plain={
            "validation (chose the limit)": refused(validation[counted], limit),
            **_refused_of(data, lambda faces: log_odds(network, faces), limit),
        },
        caught=_caught(network, others, limit),
        unseen=unseen,
    )


def manifest_block(entry: Plainness, settings: PlainnessRecipe) -> dict[str, object]:
    """Return what the manifest says of plainness, readable by ``ModelManifest``."""
    return {
        **dataclasses.asdict(entry),
        "evidence": (
            f"trained on {settings.crops // 2:,} people of FairFace, each plain and in one of "
            f"{len(FAMILIES)} families of random renderings ({', '.join(FAMILIES)}); limit: "
            f"{100 * settings.enrollment_share:g} % of validation photos are refused by it alone"
        ),
    }


def refused(answers: Matrix, limit: float) -> Estimate:
    """Return the share of pictures, by log-odds ``(N,)``, whose plainness is below a limit."""
    below = expit(answers) < limit
    return clopper_pearson(int(below.sum()), len(below))


def faces_of(crops: CropSet) -> ByteImage:
    """Return the faces ``(N, 3, 112, 112)`` of stored crops as the service cuts them."""
    return np.stack([as_cut(image) for image in crops.images.numpy()])


def _limit(validation: Matrix, counted: BoolArray, share: float) -> float:
    """Return the plainness by which the stated share of validation photos is refused.

    Only those are ``counted`` that nothing else refuses: the limit is what is refused more.
    """
    if not counted.any():
        raise DataError("no validation photo is sharp and light enough to be enrolled")
    lowest = np.sort(expit(validation[counted].astype(np.float64)))
    place = min(math.floor(share * len(validation)), len(lowest) - 1)
    return math.floor(1000 * float(lowest[place])) / 1000


def _entry(content: bytes, network: PlainFaceNetwork, limit: float) -> Plainness:
    (golden,) = log_odds(network, golden_input(112)).tolist()
    digest = hashlib.sha256(content).hexdigest()
    return Plainness(FILE, digest, round(golden, 5), GOLDEN_TOLERANCE, limit)


def _caught(network: PlainFaceNetwork, crops: RenderedCrops, limit: float) -> dict[str, Estimate]:
    """Return by family the share of renderings that are refused, of people who trained nothing."""
    answers = log_odds(network, crops.images)
    return {
        name: refused(answers[crops.family == number], limit)
        for number, name in enumerate(crops.families)
        if (crops.family == number).any()
    }


def _refused_of(
    data: Path, answer: Callable[[ByteImage], Matrix], limit: float
) -> dict[str, Estimate]:
    """Return the share refused of plain pictures that trained and chose nothing, and of masks."""
    found = {"LFW": refused(answer(faces_of(read_people(data, "lfw"))), limit)}
    strangers = read_strangers(data)
    faces = answer(faces_of(strangers))
    for pool in read_pools(
        data / "strangers.csv", strangers.files, _MIN_OF_A_GROUP, by_gender=False
    ):
        found[f"strangers, {pool.name}"] = refused(faces[pool.rows], limit)
    fairface = read_crops("FairFace", [data / "fairface-1.tar"], labelled=False, mark_black=True)
    faces = answer(faces_of(fairface))
    for pool in read_pools(data / "fairface.csv", fairface.files, _MIN_OF_A_GROUP, by_gender=False):
        found[f"FairFace, {pool.name}, trained nothing"] = refused(faces[pool.rows], limit)
    masks = read_crops("masks", [data / "masks.tar"], labelled=False)
    found["masked faces"] = refused(answer(faces_of(masks)), limit)
    return found


def _rendered(
    archive: Path, people: int, count: int, place: Path, tell: Callable[[str], object]
) -> RenderedCrops:
    """Return ``count`` crops of the first people of an archive, made once and kept at ``place``."""
    found = people_of(archive, slice(people))
    if not found:
        raise DataError(f"{archive} holds no readable picture")
    of_what = f"{len(found):,} people of {archive.name}"
    return render_crops(found, count, place, of_what, seed=SEED, tell=tell)
