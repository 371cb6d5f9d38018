"""Fits what a model cannot read, with the limits, and measures what these cost and catch."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.augment.occlusion import fill_outside
from training.augment.randomness import Randomness
from training.calibration.recognisability.centres import distances, fit_centres
from training.calibration.recognisability.renderings import FITTED, HELD_OUT, Rendering
from training.calibration.recognisability.served import SERVED_FITTED, SERVED_HELD_OUT, embed_served
from training.data.crops import CropSet, read_crops
from training.data.odd_pictures.kinds import chosen_kinds
from training.data.populations import Pool, read_people, read_pools, read_strangers
from training.evaluation.embedders import CropEmbedder, ExportedFile
from training.foundation.arrays import Matrix
from training.metrics.estimates import Estimate
from training.metrics.intervals import clopper_pearson
from training.metrics.pairs import pair_similarities
from training.recipes.build_recipe import RecognisabilityRecipe

#: At most so many strangers of a group, LFW photos and masked faces say what the limits cost.
MAX_OF_A_GROUP, MAX_OF_LFW, MAX_MASKS = 400, 2000, 600
_MIN_OF_A_GROUP = 100
SEED = 20261127


@dataclass(frozen=True)
class OddRows:
    """Unit embeddings ``(N, D)`` by kind of rendering; each row is of another person."""

    fitted: Mapping[str, Matrix]
    held_out: Mapping[str, Matrix]

    @property
    def stacked(self) -> Matrix:
        """All rows that centres are fitted on, ``(N, D)``."""
        return np.concatenate(list(self.fitted.values()))


@dataclass(frozen=True)
class PlainRows:
    """Unit embeddings of plain pictures: those that limits are chosen by, and those reported."""

    val: Matrix
    others: Mapping[str, Matrix]


@dataclass(frozen=True)
class Limits:
    """The least recognisability of an enrolled photo and of one at the door."""

    enrollment: float
    verification: float


@dataclass(frozen=True)
class KindOutcome:
    """What the door's limit leaves of one kind of picture, and how often different people match.

    ``matching``: pairs of all people before the limit, and pairs that pass both and match, each
    over all pairs.
    """

    refused: Estimate
    matching: float
    passing_and_matching: float


def embed_odd(
    embedder: ExportedFile, data: Path, worst: str, settings: RecognisabilityRecipe
) -> OddRows:
    """Render and embed people of FairFace (CC BY 4.0): some to fit on, others to choose by.

    Half of them are of the group ``worst``, where the promise is hardest to keep.
    """
    some, others = (
        _people(data / f"fairface-{number}.tar", count, data / "fairface.csv", worst)
        for number, count in enumerate((settings.fitted_people, settings.held_out_people))
    )
    served = chosen_kinds(",".join((*SERVED_FITTED, *SERVED_HELD_OUT)))
    fitted = [one for one in served if one.name in SERVED_FITTED]
    return OddRows(
        fitted={
            **_rendered(embedder, some, FITTED),
            **embed_served(embedder, some, fitted, settings.served_people),
        },
        held_out={
            **_rendered(embedder, others, {**FITTED, **HELD_OUT}),
            **embed_served(embedder, others, served, settings.served_people),
        },
    )


def embed_plain(embedder: CropEmbedder, data: Path) -> PlainRows:
    """Embed validation people and, to tell costs by, LFW, masked faces and strangers by group."""
    strangers = read_strangers(data)
    pools = read_pools(data / "strangers.csv", strangers.files, _MIN_OF_A_GROUP)
    kept = [Pool(pool.name, _spread(pool.rows, MAX_OF_A_GROUP)) for pool in pools]
    masks = read_crops("masks", [data / "masks.tar"], labelled=False)
    lfw = read_people(data, "lfw")
    return PlainRows(
        val=embedder.embed(read_people(data, "val")),
        others={
            "LFW": embedder.embed(_some(lfw, MAX_OF_LFW)),
            **{f"strangers, {one.name}": _embed_rows(embedder, strangers, one) for one in kept},
            "masked faces": embedder.embed(_some(masks, MAX_MASKS)),
        },
    )


def fit_limits(val: Matrix, centres: Matrix, settings: RecognisabilityRecipe) -> Limits:
    """Return the limits below which the recipe's shares of validation photos lie."""
    measured = distances(val, centres)
    enrollment, verification = (
        math.floor(1000 * float(np.quantile(measured, share, method="lower"))) / 1000
        for share in (settings.enrollment_share, settings.verification_share)
    )
    return Limits(enrollment, verification)


def refused(rows: Matrix, centres: Matrix, limit: float) -> Estimate:
    """Return the share of plain pictures, one of a person each, below a limit."""
    below = distances(rows, centres) < limit
    return clopper_pearson(int(below.sum()), len(below))


def outcome(rows: Matrix, centres: Matrix, limit: float, threshold: float) -> KindOutcome:
    """Return what the limit leaves of one kind of odd picture of different people ``(N, D)``."""
    passing = rows[distances(rows, centres) >= limit]
    pairs = max(1.0, len(rows) * (len(rows) - 1) / 2)  # one found face makes no pair
    return KindOutcome(
        refused=refused(rows, centres, limit),
        matching=float((pair_similarities(rows) >= threshold).sum() / pairs),
        passing_and_matching=(
            float((pair_similarities(passing) >= threshold).sum() / pairs)
            if len(passing) > 1
            else 0.0
        ),
    )


def centres_of(odd: OddRows, count: int) -> Matrix:
    """Return the centres of the fitted kinds."""
    return fit_centres(odd.stacked, count, SEED)


def _people(path: Path, count: int, attributes: Path, worst: str) -> CropSet:
    """Return one crop each of people spread over an archive, filled beyond the photograph.

    Every second is of ``worst``: "asian female" is every woman of a group that ends so. Where there
    are none, as where all strangers together are the worst, half as many are returned.
    """
    crops = read_crops(path.stem, [path], labelled=False, mark_black=True)
    with attributes.open(newline="") as stream:
        named = {
            row["file"].rsplit("/", 1)[-1]
            for row in csv.DictReader(stream)
            if f"{row['group']} {row['gender']}".endswith(worst)
        }
    inside = np.array([file.rsplit("/", 1)[-1] in named for file in crops.files])
    named_rows, other_rows = (
        _spread(np.flatnonzero(rows), count // 2) for rows in (inside, ~inside)
    )
    by_turns = np.argsort([*range(0, 2 * len(named_rows), 2), *range(1, 2 * len(other_rows), 2)])
    chosen = np.concatenate([named_rows, other_rows])[by_turns]
    crops = crops.of(torch.from_numpy(chosen))
    random = Randomness(SEED, torch.device("cpu"))
    filled = fill_outside(crops.images, random).round().clamp(0, 255).to(torch.uint8)
    return dataclasses.replace(crops, images=filled)


def _rendered(
    embedder: CropEmbedder, crops: CropSet, renderings: Mapping[str, Rendering]
) -> dict[str, Matrix]:
    found = {}
    for number, (name, render) in enumerate(renderings.items()):
        random = np.random.default_rng([SEED, number])
        images = [
            render(np.ascontiguousarray(image.transpose(1, 2, 0)), random).transpose(2, 0, 1)
            for image in crops.images.numpy()
        ]
        odd = dataclasses.replace(
            crops,
            images=torch.from_numpy(np.stack(images)),
            files=tuple(f"{file} {name}" for file in crops.files),
        )
        found[name] = embedder.embed(odd)
    return found


def _some(crops: CropSet, count: int) -> CropSet:
    return crops.of(torch.from_numpy(_spread(np.arange(len(crops)), count)))


def _spread(rows: np.typing.NDArray[np.int64], count: int) -> np.typing.NDArray[np.int64]:
    """Return up to ``count`` rows, evenly spread."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def _embed_rows(embedder: CropEmbedder, crops: CropSet, pool: Pool) -> Matrix:
    return embedder.embed(crops.of(torch.from_numpy(pool.rows)))
