"""How the error grows as a probe's picture gets worse: what the quality limits are set by.

Aligned validation crops are made small, blurred, dark and overexposed, step by step, and compared
with centroids of three photos as they are. Of each step it is told what the limits of exposure
refuse and how many errors are left: what a limit costs and gains. Pose cannot be made from a crop;
the photos are divided by the pose that they have.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.special import expit

from app.domain.calibration import Calibration
from app.domain.embeddings import mean_directions
from app.domain.faces import FaceQuality
from training.data.crops import CROP_SIZE, CropSet
from training.evaluation.embedders import CropEmbedder
from training.foundation.arrays import BoolArray, ByteImage, FloatArray, IntArray, Matrix
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_rate
from training.metrics.open_set import enroll_people
from training.metrics.reliability import calibration_error, equal_width_bins
from training.studies.enrollment.faces import measure_crops, reduced
from training.studies.quality_limits.refusals import exposure_limits

ENROLLED_PHOTOS = 3
#: The shorter side of YuNet's box over the side of the 112 px crop: the median of the invented
#: people's photos in tests/fixtures/people.
BOX_OF_CROP = 0.73
SIZES = (16, 20, 24, 32, 40, 56)  # of the box, in pixels
BLURS = (1.0, 2.0, 3.0, 4.0)  # standard deviation in pixels of the crop
DARKENED_TO = (50.0, 40.0, 30.0, 20.0, 12.0, 8.0)  # mean luma of the face's middle
#: The same with the noise of a sensor that had too little light: standard deviation of the luma.
DARK_AND_NOISY = ((40.0, 4.0), (40.0, 8.0), (20.0, 8.0))
BRIGHTENINGS = (1.25, 1.5, 2.0, 2.5, 3.0)
#: The middle of a stored crop, 8 px further in than that of the crop which is judged.
_MIDDLE = (slice(44, 104), slice(40, 88))
_NOISE_SEED = 20261127
MEDIANS = (
    "sharpness",
    "brightness",
    "clipped_shadows",
    "clipped_highlights",
    "contrast_to_noise",
)
YAWS = (0.0, 15.0, 30.0, 45.0, 90.0)  # borders of the bins, degrees to either side


@dataclass(frozen=True)
class Step:
    """One way to spoil a picture, and what is left of it."""

    kind: str
    amount: str
    spoil: Callable[[ByteImage], ByteImage]


@dataclass(frozen=True)
class GatedProbes:
    """What a limit of exposure refuses of some probes, a share, and the FNMR of what passes it.

    ``fnmr`` is None where nothing passes.
    """

    limit: str
    refused: float
    fnmr: Estimate | None


@dataclass(frozen=True)
class SpoiltProbes:
    """What became of the same probes, spoilt by one step: medians of their measures, and errors.

    ``cllr`` (bits) and ``ece`` are of the model's own likelihood ratios, as many of either kind:
    whether a probability still means what it says when the picture is poor. ``gated``: what each
    limit of exposure makes of them, the door's and enrollment's, now and until 2.2.
    """

    kind: str
    amount: str
    sharpness: float
    brightness: float
    clipped_shadows: float
    clipped_highlights: float
    contrast_to_noise: float
    fnmr: Estimate
    cllr: float
    ece: float
    gated: tuple[GatedProbes, ...]


def steps() -> Iterator[Step]:
    """Yield every step, the picture as it is first."""
    yield Step("as it is", "-", lambda image: image)
    for size in SIZES:
        side = round(size / BOX_OF_CROP * CROP_SIZE / 112)
        yield Step("small", f"{size} px", lambda image, side=side: reduced(image, side))  # type: ignore[misc]
    for sigma in BLURS:
        yield Step("blurred", f"sigma {sigma:g} px", lambda image, by=sigma: _blurred(image, by))  # type: ignore[misc]
    for mean in DARKENED_TO:
        yield Step("dark", f"mean {mean:g}", lambda image, to=mean: _darkened(image, to))  # type: ignore[misc]
    for mean, noise in DARK_AND_NOISY:
        yield Step(
            "dark",
            f"mean {mean:g}, noise {noise:g}",
            lambda image, to=mean, by=noise: _darkened(image, to, by),  # type: ignore[misc]
        )
    for gain in BRIGHTENINGS:
        yield Step("bright", f"times {gain:g}", lambda image, by=gain: _exposed(image, by))  # type: ignore[misc]


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
    drawn = enroll_people(val.identities.numpy(), val.files, ENROLLED_PHOTOS)
    gallery = embedder.embed(val.of(torch.from_numpy(drawn.enrolled.reshape(-1))))
    gallery = gallery.reshape(len(drawn.enrolled), ENROLLED_PHOTOS, -1)
    middles = mean_directions(gallery)
    probes = val.of(torch.from_numpy(drawn.probes))
    found: list[SpoiltProbes] = []

    def add_step(kind: str, amount: str, shown: CropSet, owners: IntArray) -> None:
        against = np.asarray(embedder.embed(shown) @ middles.T, np.float64)
        own = owners[:, None] == np.arange(len(middles))
        similarities = against[own]
        cllr, ece = _taken_at_their_word(similarities, against[~own], calibration)
        qualities = measure_crops(shown)
        missed = similarities < threshold
        fnmr, gated = bootstrap_rate(missed, owners), gate_probes(qualities, missed, owners)
        found.append(SpoiltProbes(kind, amount, *_medians(qualities), fnmr, cllr, ece, gated))
        tell(f"{kind} {amount}: FNMR {fnmr.value:.3f} of {len(owners)}")

    for step in steps():
        add_step(step.kind, step.amount, spoil_all(probes, step.spoil), drawn.owners)
    turned = np.abs(yaw[drawn.probes]) if yaw is not None else np.zeros(0)
    for low, high in itertools.pairwise(YAWS):
        rows = np.flatnonzero((turned >= low) & (turned < high))
        if len(rows):
            shown, owners = probes.of(torch.from_numpy(rows)), drawn.owners[rows]
            add_step("turned", f"{low:g} to {high:g} degrees", shown, owners)
    return tuple(found)


def gate_probes(
    qualities: Sequence[FaceQuality], missed: BoolArray, owners: IntArray
) -> tuple[GatedProbes, ...]:
    """Return what each limit of exposure refuses, and how many of the rest are ``missed``."""
    found = []
    for limit, refuses in exposure_limits().items():
        refused = np.array([any(one(quality) for one in refuses) for quality in qualities])
        passing = ~refused
        rest = bootstrap_rate(missed[passing], owners[passing]) if passing.any() else None
        found.append(GatedProbes(limit, float(refused.mean()), rest))
    return tuple(found)


def _medians(qualities: Sequence[FaceQuality]) -> tuple[float, float, float, float, float]:
    """Return the medians of sharpness, brightness, the clipped shares and contrast to noise."""
    sharpness, brightness, shadows, highlights, clear = (
        float(np.median(np.array([getattr(one, measure) for one in qualities], np.float64)))
        for measure in MEDIANS
    )
    return sharpness, brightness, shadows, highlights, clear


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


def spoil_all(crops: CropSet, spoil: Callable[[ByteImage], ByteImage]) -> CropSet:
    """Return the crops with ``spoil`` applied to each upright RGB image ``(H, W, 3)``."""
    images = [
        np.ascontiguousarray(
            spoil(np.ascontiguousarray(image.transpose(1, 2, 0))).transpose(2, 0, 1)
        )
        for image in crops.images.numpy()
    ]
    return dataclasses.replace(crops, images=torch.from_numpy(np.stack(images)))


def _blurred(image: ByteImage, sigma: float) -> ByteImage:
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8)


def _exposed(image: ByteImage, gain: float) -> ByteImage:
    return _as_taken(image.astype(np.float32) * gain)


def _darkened(image: ByteImage, mean: float, noise: float = 0.0) -> ByteImage:
    """Return the image with this mean luma in the middle, and noise; never brighter than it was."""
    before = float(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[_MIDDLE].mean())
    dark = image.astype(np.float32) * min(1.0, mean / max(before, 1.0))
    random = np.random.default_rng(_NOISE_SEED)
    return _as_taken(dark + noise * random.standard_normal(image.shape, np.float32))


def _as_taken(values: Matrix) -> ByteImage:
    """Return what a sensor makes of it: rounded, and clipped to what it holds."""
    taken: ByteImage = np.clip(values, 0, 255).round().astype(np.uint8)
    return taken
