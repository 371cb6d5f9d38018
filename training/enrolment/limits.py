"""How the error grows as a probe's picture gets worse: what the quality limits are set by.

Aligned validation crops are made small, blurred, dark and overexposed, step by step, and compared
with centroids of three photos as they are. Pose cannot be made from a crop; the photos are divided
by the pose that they have.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit

from app.domain.calibration import Calibration
from training.data.crops import CROP_SIZE, CropSet
from training.enrolment.faces import measure_crops, reduced
from training.enrolment.rules import weighted_directions
from training.evaluation.embedders import CropEmbedder
from training.evaluation.intervals import FloatArray, IntArray, bootstrap_rate
from training.evaluation.open_set import enrol_people
from training.evaluation.reliability import calibration_error, equal_width_bins
from training.evaluation.results import Estimate

Image = npt.NDArray[np.uint8]

ENROLLED_PHOTOS = 3
#: The shorter side of YuNet's box over the side of the 112 px crop: the median of the invented
#: people's photos in tests/fixtures/people.
BOX_OF_CROP = 0.73
SIZES = (16, 20, 24, 32, 40, 56)  # of the box, in pixels
BLURS = (1.0, 2.0, 3.0, 4.0)  # standard deviation in pixels of the crop
DARKENINGS = (0.5, 0.35, 0.25, 0.15)
BRIGHTENINGS = (1.5, 2.0, 3.0)
YAWS = (0.0, 15.0, 30.0, 45.0, 90.0)  # borders of the bins, degrees to either side


@dataclass(frozen=True)
class Step:
    """One way to spoil a picture, and what is left of it."""

    kind: str
    amount: str
    spoil: Callable[[Image], Image]


@dataclass(frozen=True)
class SpoiltProbes:
    """What became of the same probes, spoilt by one step: medians of their measures, and errors.

    ``cllr`` (bits) and ``ece`` are of the model's own likelihood ratios, as many of either kind:
    whether a probability still means what it says when the picture is poor.
    """

    kind: str
    amount: str
    sharpness: float
    brightness: float
    fnmr: Estimate
    cllr: float
    ece: float


def steps() -> Iterator[Step]:
    """Yield every step, the picture as it is first."""
    yield Step("as it is", "-", lambda image: image)
    for size in SIZES:
        side = round(size / BOX_OF_CROP * CROP_SIZE / 112)
        yield Step("small", f"{size} px", lambda image, side=side: reduced(image, side))  # type: ignore[misc]
    for sigma in BLURS:
        yield Step("blurred", f"sigma {sigma:g} px", lambda image, by=sigma: _blurred(image, by))  # type: ignore[misc]
    for gain in (*DARKENINGS, *BRIGHTENINGS):
        kind = "dark" if gain < 1 else "bright"
        yield Step(kind, f"times {gain:g}", lambda image, by=gain: _exposed(image, by))  # type: ignore[misc]


def measure_limits(
    embedder: CropEmbedder,
    val: CropSet,
    threshold: float,
    calibration: Calibration,
    tell: Callable[[str], object] = print,
    yaw: FloatArray | None = None,
) -> tuple[SpoiltProbes, ...]:
    """Return FNMR at ``threshold`` for each step, with intervals that resample people.

    With ``yaw`` ``(N,)``, the degrees by which the faces of ``val`` are turned, also for each bin
    of the probes as they are; NaN is in none. How far ``calibration`` holds is judged on the same
    probes against their own centroid and against everybody else's.

    Raises ``ValueError`` where nobody has more than three photos.
    """
    drawn = enrol_people(val.identities.numpy(), val.files, ENROLLED_PHOTOS)
    gallery = embedder.embed(val.of(torch.from_numpy(drawn.enrolled.reshape(-1))))
    gallery = gallery.reshape(len(drawn.enrolled), ENROLLED_PHOTOS, -1)
    middles = weighted_directions(gallery, np.ones(gallery.shape[:2]))
    probes = val.of(torch.from_numpy(drawn.probes))
    found: list[SpoiltProbes] = []

    def judge(kind: str, amount: str, shown: CropSet, owners: IntArray) -> None:
        against = np.asarray(embedder.embed(shown) @ middles.T, np.float64)
        own = owners[:, None] == np.arange(len(middles))
        similarities = against[own]
        cllr, ece = _taken_at_their_word(similarities, against[~own], calibration)
        sharpness, brightness = (float(np.median(measure)) for measure in measure_crops(shown))
        missed = bootstrap_rate(similarities < threshold, owners)
        found.append(SpoiltProbes(kind, amount, sharpness, brightness, missed, cllr, ece))
        tell(f"{kind} {amount}: FNMR {missed.value:.3f} of {len(owners)}")

    for step in steps():
        judge(step.kind, step.amount, spoil_all(probes, step.spoil), drawn.owners)
    turned = np.abs(yaw[drawn.probes]) if yaw is not None else np.zeros(0)
    for low, high in itertools.pairwise(YAWS):
        rows = np.flatnonzero((turned >= low) & (turned < high))
        if len(rows):
            shown, owners = probes.of(torch.from_numpy(rows)), drawn.owners[rows]
            judge("turned", f"{low:g} to {high:g} degrees", shown, owners)
    return tuple(found)


def _taken_at_their_word(
    same: FloatArray, different: FloatArray, calibration: Calibration
) -> tuple[float, float]:
    """Return Cllr (Brümmer and du Preez 2006) in bits and ECE, both kinds weighing the same."""
    similarities = np.concatenate([same, different])
    counts = np.full(len(similarities), ENROLLED_PHOTOS)
    ratios = calibration.log_likelihood_ratios(similarities, counts)
    genuine = np.arange(len(similarities)) < len(same)
    weights = np.where(genuine, 0.5 / len(same), 0.5 / len(different))
    cost = np.logaddexp(0, np.where(genuine, -ratios, ratios)) / np.log(2)
    probabilities = expit(ratios)
    bins = equal_width_bins(probabilities)
    ece = calibration_error(probabilities, genuine, bins, weights)
    return float((weights * cost).sum()), ece


def spoil_all(crops: CropSet, spoil: Callable[[Image], Image]) -> CropSet:
    """Return the crops with ``spoil`` applied to each upright RGB image ``(H, W, 3)``."""
    images = [
        np.ascontiguousarray(
            spoil(np.ascontiguousarray(image.transpose(1, 2, 0))).transpose(2, 0, 1)
        )
        for image in crops.images.numpy()
    ]
    return dataclasses.replace(crops, images=torch.from_numpy(np.stack(images)))


def _blurred(image: Image, sigma: float) -> Image:
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)


def _exposed(image: Image, gain: float) -> Image:
    exposed: Image = np.clip(image.astype(np.float32) * gain, 0, 255).round().astype(np.uint8)
    return exposed
