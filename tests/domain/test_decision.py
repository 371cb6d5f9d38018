"""The one decision against a slow, obvious oracle, and where its borders lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calibration import Calibration, PlattCalibration
from app.domain.decision import (
    AMBIGUITY_MARGIN,
    Decision,
    Evidence,
    decide,
    decide_claims,
    reached_somebody,
)
from app.domain.matching import GallerySimilarities
from app.domain.verdict import Verdict

#: Of more photos the same similarity says more, so that the nearest is not always the likeliest.
LINES = (
    PlattCalibration(1, 20.0, -10.0),
    PlattCalibration(3, 24.0, -11.0),
    PlattCalibration(1, 22.0, -12.0, frames=2),
)
CALIBRATION = Calibration(LINES)


@dataclass(frozen=True)
class Person:
    """Somebody enrolled: similarities to each probe, photos, and who is recorded as alike."""

    key: int
    photos: int
    similarities: tuple[float, ...]


@dataclass(frozen=True)
class Case:
    """A gallery in no order, M probes, and what is recorded; keys may be of nobody enrolled."""

    people: tuple[Person, ...]
    probes: int
    alike: frozenset[frozenset[int]]
    frames: int

    def thresholds(self, photos: int) -> float:
        return 0.45 + 0.05 * min(photos, 3)

    def alike_of(self, key: int) -> list[int]:
        return sorted({other for pair in self.alike if key in pair for other in pair} - {key})

    @property
    def evidence(self) -> Evidence:
        rows = [person.similarities for person in self.people]
        similarities = np.array(rows, np.float32).reshape(len(rows), self.probes).T
        return Evidence.of(
            GallerySimilarities(
                np.array([person.key for person in self.people], np.int64),
                similarities,
                np.array([person.photos for person in self.people], np.int64),
            ),
            CALIBRATION,
            self.frames,
        )

    def similarity(self, person: Person, probe: int) -> float:
        return float(np.float32(person.similarities[probe]))

    def ratio(self, person: Person, probe: int) -> float:
        slope, intercept = CALIBRATION.line(person.photos, self.frames)
        return slope * self.similarity(person, probe) + intercept

    def reaches(self, person: Person, probe: int) -> bool:
        return self.similarity(person, probe) >= self.thresholds(person.photos)


def oracle(case: Case, probe: int) -> Decision:
    """Decide as the words say, one person after the other."""
    ranked = sorted(case.people, key=lambda person: (-case.ratio(person, probe), person.key))
    if not ranked:
        return Decision(Verdict.UNKNOWN, None)
    first = ranked[0]
    if not case.reaches(first, probe):
        return Decision(Verdict.UNKNOWN, first.key)
    alike = case.alike_of(first.key)
    for other in ranked[1:]:
        if other.key in alike and case.reaches(other, probe):
            return Decision(Verdict.AMBIGUOUS, first.key, (first.key, other.key))
    if len(ranked) > 1 and too_near(case, first, ranked[1], probe):
        return Decision(Verdict.AMBIGUOUS, first.key, (first.key, ranked[1].key))
    if set(alike) - {person.key for person in case.people}:
        return Decision(Verdict.AMBIGUOUS, first.key, (first.key,))
    return Decision(Verdict.KNOWN, first.key)


def too_near(case: Case, person: Person, other: Person, probe: int) -> bool:
    return case.ratio(person, probe) - case.ratio(other, probe) < AMBIGUITY_MARGIN


def claim_oracle(case: Case, claimed: Person, probe: int) -> Decision:
    """Decide on a claim as the words say."""
    if not case.reaches(claimed, probe):
        return Decision(Verdict.UNKNOWN, claimed.key)
    alike = case.alike_of(claimed.key)
    seen = [person for person in case.people if person.key in alike]
    nearest = sorted(seen, key=lambda person: (-case.ratio(person, probe), person.key))[:1]
    for other in nearest:
        if too_near(case, claimed, other, probe):
            return Decision(Verdict.AMBIGUOUS, claimed.key, (claimed.key, other.key))
    if len(seen) < len(alike):
        return Decision(Verdict.AMBIGUOUS, claimed.key, (claimed.key,))
    return Decision(Verdict.KNOWN, claimed.key)


#: Few values, so that people are equally near, at a threshold, or just beside it.
SIMILARITIES = st.sampled_from([-1.0, 0.3, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 1.0])


@st.composite
def cases(draw: st.DrawFn, least_people: int = 0) -> Case:
    keys = draw(st.lists(st.integers(1, 9), unique=True, min_size=least_people, max_size=6))
    probes = draw(st.integers(1, 4))
    drawn = st.tuples(*[SIMILARITIES] * probes)
    people = tuple(Person(key, draw(st.integers(1, 5)), draw(drawn)) for key in keys)
    pairs = st.tuples(st.integers(1, 10), st.integers(1, 10)).filter(lambda pair: len({*pair}) == 2)
    alike = draw(st.lists(pairs, max_size=5))
    return Case(people, probes, frozenset(map(frozenset, alike)), draw(st.sampled_from([1, 2, 5])))


@given(cases())
def test_everybody_is_told_what_the_oracle_says(case: Case) -> None:
    decisions = decide(case.evidence, case.thresholds, case.alike_of)
    assert decisions == [oracle(case, probe) for probe in range(case.probes)]


@given(cases(least_people=1), st.data())
def test_every_claim_is_answered_as_the_oracle_says(case: Case, data: st.DataObject) -> None:
    who = [data.draw(st.sampled_from(case.people)) for _ in range(case.probes)]
    found = decide_claims(case.evidence, [one.key for one in who], case.thresholds, case.alike_of)
    assert found == [claim_oracle(case, one, probe) for probe, one in enumerate(who)]


@given(cases(), st.sets(st.integers(1, 9)))
def test_without_somebody_is_a_gallery_that_never_had_them(case: Case, gone: set[int]) -> None:
    rest = Case(
        tuple(person for person in case.people if person.key not in gone),
        case.probes,
        case.alike,
        case.frames,
    )
    left = decide(case.evidence.without(gone), case.thresholds, case.alike_of)
    assert left == decide(rest.evidence, case.thresholds, case.alike_of)


@given(cases(least_people=1))
def test_whoever_is_not_unknown_reaches_somebody(case: Case) -> None:
    evidence = case.evidence
    needed = np.array([case.thresholds(photos) for photos in evidence.photo_counts.tolist()])
    reached = reached_somebody(evidence.similarities, needed).tolist()
    decisions = decide(evidence, case.thresholds, case.alike_of)
    taken = [one.verdict is not Verdict.UNKNOWN for one in decisions]
    assert all(some or not one for one, some in zip(taken, reached, strict=True))
    if len({person.photos for person in case.people}) == 1:
        assert taken == reached


def decision_of(
    similarities: Sequence[float],
    alike: Callable[[int], Sequence[int]] = lambda _key: (),
    threshold: float = 0.5,
) -> Decision:
    keys = np.arange(1, len(similarities) + 1)
    compared = GallerySimilarities(keys, np.array(similarities), np.ones_like(keys))
    evidence = Evidence.of(compared, CALIBRATION)
    (decision,) = decide(evidence, lambda _photos: threshold, alike)
    return decision


def test_a_threshold_is_reached_and_not_only_passed() -> None:
    assert decision_of([0.5]) == Decision(Verdict.KNOWN, 1)
    assert decision_of([math.nextafter(0.5, 0)]) == Decision(Verdict.UNKNOWN, 1)


def test_a_similarity_of_32_bits_is_held_to_a_threshold_of_64() -> None:
    """As float32 both would be the same number, and who is below would be known."""
    score = np.float32(0.6)
    keys = np.array([7])
    evidence = Evidence.of(
        GallerySimilarities(keys, np.array([score]), np.ones(1, int)), CALIBRATION
    )
    above = float(score) + 1e-9
    assert np.float32(above) == score
    for threshold, verdict in ((float(score), Verdict.KNOWN), (above, Verdict.UNKNOWN)):
        (found,) = decide(evidence, lambda _, needed=threshold: needed, lambda _: ())  # type: ignore[misc]
        (claim,) = decide_claims(evidence, [7], lambda _, n=threshold: n, lambda _: ())  # type: ignore[misc]
        assert found.verdict is claim.verdict is verdict


def test_a_look_alike_counts_wherever_it_ranks() -> None:
    """Twelve people are more probable than the look-alike, who reaches the threshold as well."""
    similarities = [0.99, *[0.6] * 12, 0.55]
    assert decision_of(similarities, lambda _: ()).verdict is Verdict.KNOWN
    recorded = decision_of(similarities, lambda key: [14] if key == 1 else [])
    assert recorded == Decision(Verdict.AMBIGUOUS, 1, (1, 14))


def test_nobody_is_a_look_alike_of_himself() -> None:
    assert decision_of([0.9, 0.1], lambda key: [key]).verdict is Verdict.KNOWN


def test_thresholds_and_look_alikes_are_asked_for_no_more_than_needed() -> None:
    """Of a stranger nobody's look-alikes are read; a threshold is asked for once a photo count."""
    asked: list[int] = []
    keys = np.arange(1, 4)
    rows = np.array([[0.1, 0.2, 0.3], [0.9, 0.1, 0.0], [0.8, 0.1, 0.0]])
    evidence = Evidence.of(GallerySimilarities(keys, rows, np.array([1, 2, 1])), CALIBRATION)
    read: list[int] = []

    def threshold(photos: int) -> float:
        asked.append(photos)
        return 0.5

    def look_alikes(key: int) -> list[int]:
        read.append(key)
        return []

    decisions = decide(evidence, threshold, look_alikes)
    assert [one.verdict for one in decisions] == [Verdict.UNKNOWN, Verdict.KNOWN, Verdict.KNOWN]
    assert asked == [1]
    assert read == [1, 1]


def test_a_claim_to_be_somebody_who_was_not_compared_is_an_error() -> None:
    keys = np.array([1, 2])
    evidence = Evidence.of(
        GallerySimilarities(keys, np.array([0.9, 0.1]), np.ones(2, int)), CALIBRATION
    )
    with pytest.raises(ValueError, match="claimed"):
        decide_claims(evidence, [3], lambda _: 0.5, lambda _: ())


def test_one_key_is_one_person() -> None:
    twice = GallerySimilarities(np.array([1, 1]), np.array([0.9, 0.1]), np.ones(2, int))
    with pytest.raises(ValueError, match="one person"):
        Evidence.of(twice, CALIBRATION)
