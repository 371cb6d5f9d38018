"""From a stated risk to a threshold: what a stranger may reach, given how many are enrolled.

Against N enrolled people a stranger is taken for somebody with probability 1 - (1 - f)^N, where f
is the false-match rate of one comparison (Daugman, "Probing the uniqueness and randomness of
IrisCodes", 2006). The operator states that probability and its scope; f follows from N, and
the threshold from the tail of false matches at its upper confidence bound: of the group of
strangers that asks for the most, since a staff is seldom a mixture of the world, or of strangers of
all groups mixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import UnsupportedRiskError
from app.domain.intervals import interval_of_share
from app.domain.model_manifest import ModelManifest, Threshold
from app.domain.tails import GenuineScores, ImpostorTail

HIGHEST_SIMILARITY = 0.9999
#: Of the guard against a second enrollment: new people who may be questioned, and the fewest people
#: to count with. Together they give one false match in a thousand comparisons.
DUPLICATE_ALARMS = 0.05
DUPLICATE_PEOPLE = 51


def comparison_rate(attempt_rate: float, people: int) -> float:
    """Return the false-match rate of one comparison at which ``people`` give ``attempt_rate``."""
    return -math.expm1(math.log1p(-attempt_rate) / max(1, people))


def attempt_rate(comparison: float, people: int) -> float:
    """Return the probability that a stranger matches at least one of ``people``."""
    return -math.expm1(max(1, people) * math.log1p(-comparison))


def centroid_shift(manifest: ModelManifest) -> float:
    """Return how much higher strangers score against centroids than against single photos.

    The model's own threshold lies that much above the strictest of its tails.
    """
    default = manifest.identify
    reached = max(tail.threshold_at(default.false_match_rate) for tail in manifest.tails)
    return max(0.0, default.similarity - reached)


class PromiseFor(StrEnum):
    """The scope of a stated risk: who it holds for.

    ``WORST_GROUP``: for a gallery and strangers of whichever group is confused most often, and so
    for every other. ``MIXED``: for a gallery and strangers of all groups mixed; within one group
    more strangers are taken for somebody than was stated.
    """

    WORST_GROUP = "worst-group"
    MIXED = "mixed"


@dataclass(frozen=True)
class RiskTargets:
    """What the operator states. ``fpir``: strangers taken for somebody, 1:N; ``fmr``: false claims.

    ``min_similarity`` tightens both thresholds and loosens none. ``promise_for``: who is meant.
    """

    fpir: float
    fmr: float
    min_similarity: float | None = None
    promise_for: PromiseFor = PromiseFor.WORST_GROUP


@dataclass(frozen=True)
class MetRate:
    """What a threshold does to one population, of an attempt: a gallery and strangers of it.

    ``rate`` is the best estimate and ``upper`` its one-sided upper bound, 95 %.
    """

    population: str
    rate: float
    upper: float


@dataclass(frozen=True)
class Promise:
    """A threshold and what it promises against ``people`` enrolled.

    ``stated_rate`` is what the operator asked for, ``promised_rate`` what this threshold keeps for
    its scope, ``promise_for``, at the upper bound of the tail (95 %, one-sided); they differ where
    the data supports no rarer rate (``kept`` is false then) or where something tightens the
    threshold. The other two rates are best estimates: for the worst group, and for strangers of all
    groups mixed; ``met`` has every population, the mixed one first. The threshold's own rate is
    that of one comparison. ``threshold_estimate`` is the similarity that the best estimates would
    ask for, without the upper bounds and never above the threshold.
    """

    threshold: Threshold
    threshold_estimate: float
    people: int
    stated_rate: float
    promised_rate: float
    worst_group_rate: float
    mixed_rate: float
    kept: bool
    promise_for: PromiseFor
    met: tuple[MetRate, ...]


@dataclass(frozen=True)
class FalseRejections:
    """Which share of probes of an enrolled person a threshold refuses, with ``photos`` enrolled.

    ``similarity`` is the threshold's for that number of photos.

    ``interval`` is of 95 %, as if each of ``people`` had been tried once (Clopper and Pearson), for
    the probes of one person are not independent; both are None where the model does not tell how
    many people there were.
    """

    photos: int
    similarity: float
    rate: float
    people: int | None
    interval: tuple[float, float] | None


class RiskPolicy:
    """The thresholds of a model for stated risks, as people come and go."""

    def __init__(self, manifest: ModelManifest, targets: RiskTargets) -> None:
        """Raise ``UnsupportedRiskError`` where not even one enrolled person could be promised."""
        self._tails = manifest.tails
        self._genuine = manifest.genuine
        self._shift = centroid_shift(manifest)
        self._shifts = manifest.centroid_shifts
        self._targets = targets
        self.require_supported(targets.fpir, 1)
        self.require_supported(targets.fmr, 1)

    @property
    def targets(self) -> RiskTargets:
        """What the operator stated."""
        return self._targets

    @property
    def rarest_rate(self) -> float:
        """The rarest false-match rate of one comparison that the data of those named supports."""
        return self.rarest_rate_for(self._targets.promise_for)

    def rarest_rate_for(self, promise_for: PromiseFor) -> float:
        """Return that rate for another scope of the promise."""
        return max(tail.rarest_rate for tail in self._named(promise_for))

    @property
    def rarest_attempt(self) -> float:
        """The rarest risk of an attempt that the people behind the model support, 0 if any."""
        return self._rarest_attempt_for(self._targets.promise_for)

    def _rarest_attempt_for(self, promise_for: PromiseFor) -> float:
        return max(tail.rarest_attempt for tail in self._named(promise_for))

    def _named(self, promise_for: PromiseFor) -> tuple[ImpostorTail, ...]:
        """Return the tails of those that it must hold for; the first tail is the mixed one."""
        return self._tails[:1] if promise_for is PromiseFor.MIXED else self._tails

    @property
    def surely_one_person(self) -> float:
        """The similarity that half of all genuine single photos reach; 1 if not measured."""
        return self._genuine[0].similarity_at(0.5) if self._genuine else HIGHEST_SIMILARITY

    def max_people(self, fpir: float, promise_for: PromiseFor | None = None) -> int:
        """Return up to how many enrolled people ``fpir`` can be promised."""
        named = promise_for or self._targets.promise_for
        rarest = self.rarest_rate_for(named)
        if rarest >= 1 or fpir < self._rarest_attempt_for(named) * (1 - 1e-9):
            return 0
        return int(math.log1p(-fpir) / math.log1p(-rarest) + 1e-9)

    def require_supported(self, rate: float, people: int) -> None:
        """Raise ``UnsupportedRiskError`` where the data cannot support the rate."""
        if rate < self.rarest_attempt * (1 - 1e-9):
            raise UnsupportedRiskError(
                f"a rate of {rate:g} is rarer than the strangers behind this model support: "
                f"{self.rarest_attempt:.2g} at the rarest (rule of three); state a rate that is no "
                "rarer, or calibrate on more strangers"
            )
        pair_rate = comparison_rate(rate, people)
        if pair_rate < self.rarest_rate * (1 - 1e-9):
            raise UnsupportedRiskError(
                f"a rate of {rate:g} against {people} enrolled people needs a false-match rate of "
                f"{pair_rate:.1e} a comparison; the pairs of people behind this model support "
                f"{self.rarest_rate:.1e} at the rarest, which is {rate:g} for at most "
                f"{self.max_people(rate)} people"
            )

    def verify(self, *, fused: bool = False, photos: int | None = None) -> Promise:
        """Return the promise for 1:1: one comparison with the claimed employee."""
        return self.promise(self._targets.fmr, 1, fused=fused, photos=photos)

    def shift(self, photos: int | None = None) -> float:
        """Return how much the threshold rises for a centroid of ``photos``; the maximum for None.

        A number between two measured ones takes the larger one's.
        """
        if photos is None:
            return self._shift
        return next((min(s, self._shift) for n, s in self._shifts if n >= photos), self._shift)

    def promise(
        self,
        rate: float,
        people: int,
        floor: float | None = None,
        *,
        fused: bool = False,
        photos: int | None = None,
        promise_for: PromiseFor | None = None,
    ) -> Promise:
        """Return the threshold at which ``people`` give ``rate``, and what it promises.

        ``floor``, a threshold by the customer's own strangers, makes it stricter and never looser.
        Where the data supports no rarer rate, the threshold stays at the rarest supported one.
        ``fused``: the probe is several frames in one. Their mean is closer to everybody, as a
        centroid is, and the threshold rises by the measured shift of centroids once more.
        ``photos``: how many the enrolled side has, for strangers are nearer to the mean of several
        photos than to one; without it the threshold holds for any number. ``promise_for``: as if
        that had been stated.
        """
        promised_to = promise_for or self._targets.promise_for
        named, rarest = self._named(promised_to), self.rarest_rate_for(promised_to)
        rarest_attempt = self._rarest_attempt_for(promised_to)
        pair_rate = comparison_rate(rate, people)
        max_rate = min(tail.points[0][0] for tail in self._tails)
        usable = min(max(pair_rate, rarest), max_rate)
        strictest = max(named, key=lambda tail: tail.upper_at(usable))
        tightened = [value for value in (self._targets.min_similarity, floor) if value is not None]
        shift = self.shift(photos) + (self._shift if fused else 0.0)
        likely_needed = max(tail.threshold_at(usable) for tail in named)
        similarity, estimate = (
            min(HIGHEST_SIMILARITY, max(needed + shift, *tightened, -1.0))
            for needed in (strictest.upper_at(usable), likely_needed)
        )
        single = similarity - shift  # tails are of single photos
        bound = min(usable, max(tail.upper_rate_at(single) for tail in named))
        met = tuple(_met(tail, single, people) for tail in self._tails)
        return Promise(
            threshold=Threshold(similarity, bound, strictest.population),
            threshold_estimate=estimate,
            people=people,
            stated_rate=rate,
            promised_rate=max(rarest_attempt, attempt_rate(bound, people)),
            worst_group_rate=max(one.rate for one in met),
            mixed_rate=met[0].rate,
            kept=min(pair_rate / rarest, rate / max(rarest_attempt, rate)) >= 1 - 1e-9,
            promise_for=promised_to,
            met=met,
        )

    def false_rejections(
        self, threshold_for: Callable[[int], float]
    ) -> tuple[FalseRejections, ...]:
        """Return for each number of enrolled photos the share of genuine probes refused.

        ``threshold_for`` gives the threshold's similarity for a number of photos.
        """
        return tuple(_rejections(scores, threshold_for(scores.photos)) for scores in self._genuine)


def _met(tail: ImpostorTail, single: float, people: int) -> MetRate:
    """Return what the threshold for ``single`` photos does to a population in an attempt."""
    return MetRate(
        tail.population,
        rate=attempt_rate(tail.false_match_rate_at(single), people),
        upper=max(tail.rarest_attempt, attempt_rate(tail.upper_rate_at(single), people)),
    )


def _rejections(scores: GenuineScores, similarity: float) -> FalseRejections:
    rate = scores.false_non_match_rate_at(similarity)
    if scores.people is None:
        return FalseRejections(scores.photos, similarity, rate, None, None)
    interval = interval_of_share(rate, scores.people)
    return FalseRejections(scores.photos, similarity, rate, scores.people, interval)


def duplicate_similarity(manifest: ModelManifest, stated: RiskPolicy, people: int) -> float:
    """Return from which similarity on a face counts as one of ``people`` enrolled already.

    Of new employees of the worst group about ``DUPLICATE_ALARMS`` are asked about, however rare the
    ``stated`` risk: for a guard against doubles a higher threshold is a looser one. Never above the
    threshold of the door, because people within it must be confirmed. In a small
    gallery the threshold is that of ``DUPLICATE_PEOPLE``, one false match in a thousand; beyond
    what the data supports it stays at the rarest rate, and more people are asked about.
    """
    # A weakly calibrated model supports no such rate; its threshold is that of the rarest it does.
    supported = max(max(tail.rarest_attempt, tail.rarest_rate) for tail in manifest.tails)
    alarms = max(DUPLICATE_ALARMS, supported)
    policy = RiskPolicy(manifest, RiskTargets(alarms, alarms))
    guard = policy.promise(DUPLICATE_ALARMS, max(people, DUPLICATE_PEOPLE))
    door = stated.promise(stated.targets.fpir, people, photos=1)
    return min(guard.threshold.similarity, door.threshold.similarity)
