"""What an audit found, as facts that can be printed, drawn and sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from app.domain.intervals import Rate
from app.domain.policy import Promise, PromiseFor


@dataclass(frozen=True)
class AuditThresholds:
    """The similarities at which the service decides, and the risk that its operator stated.

    ``identify`` and ``verify``: of a photo, for 1:N and 1:1, against people with the most photos;
    ``identify_of`` and ``verify_of`` against people of up to so many photos, ascending.
    ``duplicate``: of new photos' centroid with somebody's, from which enrollment asks whether the
    two are one. ``stated_fpir``: the share of strangers that the operator accepts as taken for
    somebody, ``stated_fmr``: of false claims, where it is set; ``promise_for``: its scope.
    """

    identify: float
    verify: float
    duplicate: float
    stated_fpir: float
    identify_of: tuple[tuple[int, float], ...] = ()
    verify_of: tuple[tuple[int, float], ...] = ()
    stated_fmr: float | None = None
    promise_for: PromiseFor = PromiseFor.WORST_GROUP

    def identify_thresholds(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the threshold of 1:N against people of so many photos, ``(N,)``."""
        return _thresholds_of(self.identify, self.identify_of, counts)

    def verify_thresholds(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the threshold of 1:1 against people of so many photos, ``(N,)``."""
        return _thresholds_of(self.verify, self.verify_of, counts)


def thresholds_by_photos(
    numbers: Sequence[int],
    identify: Callable[[int | None], Promise],
    verify: Callable[[int | None], Promise],
    duplicate: float,
    stated_fpir: float,
) -> AuditThresholds:
    """Return the thresholds of a policy that promises by photos, for these ``numbers`` of them.

    ``identify`` and ``verify`` give the promise for a number of photos, or for the most.
    """
    whole, claim = identify(None), verify(None)
    return AuditThresholds(
        identify=whole.threshold.similarity,
        verify=claim.threshold.similarity,
        duplicate=duplicate,
        stated_fpir=stated_fpir,
        identify_of=tuple((n, identify(n).threshold.similarity) for n in numbers),
        verify_of=tuple((n, verify(n).threshold.similarity) for n in numbers),
        stated_fmr=claim.stated_rate,
        promise_for=whole.promise_for,
    )


def _thresholds_of(
    otherwise: float, by_photos: tuple[tuple[int, float], ...], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    limits = np.array([*(limit for _, limit in by_photos), otherwise])
    positions = np.searchsorted(np.array([photos for photos, _ in by_photos]), counts, side="left")
    thresholds: npt.NDArray[np.float64] = limits[positions]
    return thresholds


@dataclass(frozen=True)
class AuditRate:
    """One measured rate; ``name`` is stable, ``meaning`` is for people.

    ``measured`` is none where the gallery gives no trial.
    """

    name: str
    meaning: str
    threshold: float
    measured: Rate | None


class PhotoFinding(StrEnum):
    """What is wrong with a photo."""

    NEARER_TO_ANOTHER = "nearer_to_another"
    FAR_FROM_OWN = "far_from_own"


@dataclass(frozen=True)
class OutlierPhoto:
    """A photo that does not look like its person's other photos.

    ``own_similarity`` is that to the centroid of the others, ``other_similarity`` that to the
    likeliest other person, none where nobody else is enrolled; that person is named where the photo
    is nearer to that one.
    ``only_two_photos``: then nobody can tell which of the two is the wrong one.
    """

    employee_id: str
    photo_id: str
    finding: PhotoFinding
    own_similarity: float
    other_similarity: float | None
    other_employee_id: str | None
    only_two_photos: bool


class PairFinding(StrEnum):
    """What two people are to each other."""

    POSSIBLE_DUPLICATE = "possible_duplicate"
    CONFUSABLE = "confusable"
    NOTHING = "nothing"


@dataclass(frozen=True)
class PersonPair:
    """Two ids that look alike.

    ``photo_similarity``: the highest of a photo of one to the centroid of the other;
    ``log_likelihood_ratio`` is its natural logarithm by the model's calibration, one person over
    two. ``mean_similarity``: all photos of one with all of the other; ``own_mean_similarity``: what
    the photos of either agree among themselves, the lower of the two, or what is usual in this
    gallery where both have one photo. ``told_apart``: somebody confirmed that these are two people
    (``confirm_distinct``), so that they are confusable at most.
    """

    first_employee_id: str
    second_employee_id: str
    finding: PairFinding
    centroid_similarity: float
    photo_similarity: float
    log_likelihood_ratio: float
    mean_similarity: float
    own_mean_similarity: float
    told_apart: bool


class Weakness(StrEnum):
    """Why an enrollment is weak."""

    ONE_PHOTO = "one_photo"
    SMALL = "small"
    BLURRED = "blurred"
    TURNED = "turned"


@dataclass(frozen=True)
class WeakEnrollment:
    """A person with one photo, or without any good one; then what ails the photos."""

    employee_id: str
    photo_count: int
    weaknesses: tuple[Weakness, ...]


@dataclass(frozen=True)
class UnrecognisablePhoto:
    """An enrolled photo that matches any unrecognisable face; it is left out of all rates."""

    employee_id: str
    photo_id: str
    recognisability: float


@dataclass(frozen=True)
class SimilarityHistogram:
    """Counts in equal bins from -1 to 1: of one person's photos, and of different people."""

    genuine: tuple[int, ...]
    impostor: tuple[int, ...]


@dataclass(frozen=True)
class AuditResult:
    """A whole audit. Lists are cut at a limit, worst first; ``*_count`` says how many there are.

    ``pairs_cut``: so many pairs are alike that only the most alike were compared, and the counts of
    pairs are those of these.
    """

    people_count: int
    photo_count: int
    thresholds: AuditThresholds
    rates: tuple[AuditRate, ...]
    histogram: SimilarityHistogram
    possible_duplicate_count: int
    possible_duplicates: tuple[PersonPair, ...]
    confusable_count: int
    confusable_pairs: tuple[PersonPair, ...]
    nearest_pairs: tuple[PersonPair, ...]
    pairs_cut: bool
    outlier_count: int
    outliers: tuple[OutlierPhoto, ...]
    weak_count: int
    weak_enrollments: tuple[WeakEnrollment, ...]
    unrecognisable_count: int
    unrecognisable_photos: tuple[UnrecognisablePhoto, ...]
    advice: tuple[str, ...]
