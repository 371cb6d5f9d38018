"""Who the quality limits refuse, group by group: none much more often than another.

A limit that refuses one group more often than another closes doors to people for what they are.
A ratio of two rates that are both rare is chance, so a limit fails where the ratio is *surely*
above ``MAX_RATIO``: where the lower bound of some pair of groups lies above it, at 95 % for all
pairs of one limit together (Bonferroni). The bound is exact for two Poisson counts (Przyborowski
and Wilenski, Biometrika 1940): given their sum, the first is binomial.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scipy.special import betaincinv

from app.domain.faces import (
    ENROLLMENT_LIMITS,
    VERIFICATION_LIMITS,
    FaceQuality,
    QualityLimits,
)
from app.domain.intervals import CONFIDENCE, Rate, clopper_pearson

MAX_RATIO = 1.5
#: A group of fewer faces is left out.
MIN_FACES = 100
EXPOSURE = ("max_clipped_shadows", "max_clipped_highlights", "min_contrast_to_noise")
STAGES = {"door": VERIFICATION_LIMITS, "enrollment": ENROLLMENT_LIMITS}
#: What the door and enrollment asked of the mean luma until 2.2, for comparison; it fails.
FORMER_BRIGHTNESS = {"door": (40.0, 225.0), "enrollment": (50.0, 215.0)}

#: Says of a face whether a limit refuses it; None where what it asks for was not measured.
Refuses = Callable[[FaceQuality], bool | None]


@dataclass(frozen=True)
class GroupedFaces:
    """Measured faces of one source, and the group of each, ``""`` where none is known.

    What cannot be measured of a crop (its size, the pose of a face that the detector does not find
    again) is NaN.
    """

    source: str
    groups: tuple[str, ...]
    qualities: tuple[FaceQuality, ...]


@dataclass(frozen=True)
class GroupRefusals:
    """How often one limit refuses the faces of each group.

    ``most_refused`` and ``least_refused`` name the pair with the highest lower bound of their
    ratio, ``ratio`` and ``ratio_low``. ``in_force`` is false for what is shown for comparison only.
    """

    source: str
    stage: str
    limit: str
    rates: tuple[tuple[str, Rate], ...]
    most_refused: str
    least_refused: str
    ratio: float
    ratio_low: float
    in_force: bool = True

    @property
    def unequal(self) -> bool:
        """Whether some group is surely refused more than ``MAX_RATIO`` times as often."""
        return self.ratio_low > MAX_RATIO

    def __str__(self) -> str:
        return (
            f"{self.limit} ({self.stage}, {self.source}) refuses "
            f"{self.most_refused} {self.ratio:.1f} times as often as "
            f"{self.least_refused}, surely {self.ratio_low:.1f} times"
        )


def refusals_by_group(
    faces: GroupedFaces,
    stages: dict[str, QualityLimits] | None = None,
    min_faces: int = MIN_FACES,
) -> list[GroupRefusals]:
    """Return what each limit of each stage refuses of each group of at least ``min_faces``.

    Limits without a measurement are left out; so is everything where fewer than two groups
    are large enough.
    """
    found = []
    for stage, limits in (stages or STAGES).items():
        for name in limit_names():
            found += _refusals(faces, stage, name, _refuses(name, limits), min_faces)
        if stage in FORMER_BRIGHTNESS:
            low, high = FORMER_BRIGHTNESS[stage]
            for name, refuses in _former(low, high).items():
                shown = _refusals(faces, stage, name, refuses, min_faces)
                found += [dataclasses.replace(one, in_force=False) for one in shown]
    return found


def limit_names() -> tuple[str, ...]:
    """Return every limit that a face must keep, as ``QualityLimits`` names them."""
    return tuple(field.name for field in dataclasses.fields(QualityLimits))


def exposure_limits() -> dict[str, tuple[Refuses, ...]]:
    """Return the limits of exposure by stage, the present ones and those of brightness before."""
    present = {
        stage: tuple(_refuses(name, limits) for name in EXPOSURE)
        for stage, limits in STAGES.items()
    }
    former = {
        f"{stage}, until 2.2": tuple(_former(low, high).values())
        for stage, (low, high) in FORMER_BRIGHTNESS.items()
    }
    return present | former


def _refuses(limit: str, limits: QualityLimits) -> Refuses:
    """Return what tells whether ``limit`` refuses a face: ``min_`` or ``max_`` and the measure."""
    bound, (side, measure) = float(getattr(limits, limit)), limit.split("_", 1)

    def refuses(quality: FaceQuality) -> bool | None:
        value = getattr(quality, measure)
        if value is None or math.isnan(value):
            return None
        return bool(value < bound) if side == "min" else bool(abs(value) > bound)

    return refuses


def _former(low: float, high: float) -> dict[str, Refuses]:
    return {
        f"brightness below {low:g} (until 2.2)": lambda quality: quality.brightness < low,
        f"brightness above {high:g} (until 2.2)": lambda quality: quality.brightness > high,
    }


def _refusals(
    faces: GroupedFaces, stage: str, limit: str, refuses: Refuses, min_faces: int
) -> list[GroupRefusals]:
    """Return the refusals of one limit: one, or none where too little was measured."""
    counts: dict[str, list[int]] = {}
    for group, quality in zip(faces.groups, faces.qualities, strict=True):
        refused = refuses(quality)
        if group and refused is not None:
            counted = counts.setdefault(group, [0, 0])
            counted[0] += refused
            counted[1] += 1
    large = {group: (x, n) for group, (x, n) in sorted(counts.items()) if n >= min_faces}
    if len(large) < 2:
        return []
    most_refused, least_refused, ratio, low = _worst_pair(large)
    rates = tuple((group, clopper_pearson(*counted)) for group, counted in large.items())
    return [
        GroupRefusals(faces.source, stage, limit, rates, most_refused, least_refused, ratio, low)
    ]


def _worst_pair(counts: dict[str, tuple[int, int]]) -> tuple[str, str, float, float]:
    """Return the two groups whose ratio has the highest lower bound, the ratio and that bound."""
    pairs = list(itertools.permutations(counts, 2))
    confidence = 1 - (1 - CONFIDENCE) / len(pairs)
    bounds = {(a, b): ratio_lower_bound(counts[a], counts[b], confidence) for a, b in pairs}

    def order(pair: tuple[str, str]) -> tuple[float, float]:
        return bounds[pair], _ratio(counts[pair[0]], counts[pair[1]])

    most_refused, least_refused = max(pairs, key=order)
    return (
        most_refused,
        least_refused,
        _ratio(counts[most_refused], counts[least_refused]),
        bounds[most_refused, least_refused],
    )


def _ratio(one: tuple[int, int], other: tuple[int, int]) -> float:
    if other[0] == 0:
        return math.inf if one[0] else 1.0
    return (one[0] / one[1]) / (other[0] / other[1])


def ratio_lower_bound(
    one: tuple[int, int], other: tuple[int, int], confidence: float = CONFIDENCE
) -> float:
    """Return the one-sided lower bound of the ratio of two rates, each ``(refused, of)``.

    0 where the first has no refusal. Rates are taken for Poisson's, which is a little too wide for
    those that are not small.
    """
    (refused, of), (others, of_others) = one, other
    if refused == 0:
        return 0.0
    share = float(betaincinv(refused, others + 1, 1 - confidence))
    return share / (1 - share) * of_others / of if share < 1 else math.inf


def unequal_limits(refusals: Iterable[GroupRefusals]) -> list[GroupRefusals]:
    """Return the judged limits that surely refuse some group too often."""
    return [one for one in refusals if one.in_force and one.unequal]
