"""The rates of an audit against the same rates counted one comparison at a time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.audit.advice import advise
from app.domain.audit.alike import AlikePairs
from app.domain.audit.audit import audit
from app.domain.audit.comparisons import compare_everybody
from app.domain.audit.result import AuditResult, AuditThresholds
from app.domain.embeddings import centroid, similarity
from app.domain.intervals import clopper_pearson
from app.domain.policy import PromiseFor
from tests.domain.audit.planted import CALIBRATION, THRESHOLDS, audited, gallery_of, made_people

LOW = AuditThresholds(identify=0.15, verify=0.1, duplicate=0.12, stated_fpir=0.01)


def test_rates_are_those_of_single_comparisons() -> None:
    people = made_people(25, 3)
    people["E-3"] = people["E-3"][:1]
    result = audit(gallery_of(people), LOW, CALIBRATION, lambda _done: None)
    counted = {rate.name: rate.measured for rate in result.rates}
    own, others, best = [], [], {}
    for name, photos in people.items():
        for position, photo in enumerate(photos):
            rest = photos[:position] + photos[position + 1 :]
            own += [similarity(photo, centroid(rest))] if rest else []
            met = [similarity(photo, centroid(p)) for other, p in people.items() if other != name]
            others += met
            best[name, position] = max(met)
    alarms = {key for key, score in best.items() if score >= LOW.identify}
    expected = {
        "fnmr_verify": (sum(score < LOW.verify for score in own), len(own)),
        "fnmr_identify": (sum(score < LOW.identify for score in own), len(own)),
        "fmr_verify": (sum(score >= LOW.verify for score in others), len(others)),
        "fmr_identify": (sum(score >= LOW.identify for score in others), len(others)),
        "fpir_photos": (len(alarms), len(best)),
        "fpir_people": (len({name for name, _ in alarms}), 25),
    }
    assert {name: (rate.errors, rate.trials) for name, rate in counted.items() if rate} == expected
    assert sum(result.histogram.genuine) == len(own)
    assert sum(result.histogram.impostor) == len(others)


def test_blocks_of_any_size_give_the_same_and_progress_ends_at_the_end() -> None:
    gallery = gallery_of(made_people(800, 2))  # several blocks
    done: list[float] = []
    found = compare_everybody(
        gallery, CALIBRATION, (np.full(800, 0.2),), AlikePairs(np.full(800, 0.3), 0.3), done.append
    )
    scores = (
        gallery.embeddings
        @ np.stack(
            [centroid(list(gallery.embeddings[gallery.owners == person])) for person in range(800)]
        ).T
    )
    scores[np.arange(1600), gallery.owners] = -1.0
    assert np.array_equal(found.alarms, (scores >= 0.2).any(axis=1))
    assert found.reached == (int((scores >= 0.2).sum()),)
    assert len(done) > 3
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.0)


def test_a_person_alone_has_no_rate_of_confusion() -> None:
    result = audited(gallery_of(made_people(1, 2)))
    measured = {rate.name: rate.measured for rate in result.rates}
    assert measured["fmr_verify"] is None
    assert measured["fpir_photos"] is None
    assert measured["fnmr_verify"] is not None
    assert result.nearest_pairs == ()


def test_without_second_photos_refusals_cannot_be_measured() -> None:
    result = audited(gallery_of(made_people(5, 1)))
    measured = {rate.name: rate.measured for rate in result.rates}
    assert measured["fnmr_verify"] is None
    assert any("Enroll a second" in advice for advice in result.advice)


def test_whoever_has_fewer_photos_is_held_to_the_threshold_of_so_many() -> None:
    by_photos = dataclasses.replace(
        THRESHOLDS, identify_of=((1, 0.5), (3, 0.6)), verify_of=((1, 0.4), (3, 0.45))
    )
    counts = np.array([1, 2, 3, 4])
    assert by_photos.identify_thresholds(counts).tolist() == [0.5, 0.6, 0.6, THRESHOLDS.identify]
    assert by_photos.verify_thresholds(counts).tolist() == [0.4, 0.45, 0.45, THRESHOLDS.verify]
    assert THRESHOLDS.identify_thresholds(counts).tolist() == [THRESHOLDS.identify] * 4


def with_alarms(stated_fpir: float, alarms: int, trials: int) -> AuditResult:
    """Return a clean audit in which so many strangers are said to be taken for somebody."""
    thresholds = dataclasses.replace(THRESHOLDS, stated_fpir=stated_fpir)
    result = audited(gallery_of(made_people(20, 3)), thresholds)
    rates = [
        dataclasses.replace(rate, measured=clopper_pearson(alarms, trials))
        if rate.name == "fpir_photos"
        else rate
        for rate in result.rates
    ]
    return dataclasses.replace(result, rates=tuple(rates))


@pytest.mark.parametrize(
    ("stated", "alarms", "advised"),
    [(0.001, 15, True), (0.1, 15, False), (0.001, 4, False), (0.1, 600, True)],
)
def test_more_strangers_than_the_operator_stated_are_advised_about(
    stated: float, alarms: int, advised: bool
) -> None:
    result = with_alarms(stated, alarms, 3000)
    said = [one for one in advise(result) if one.startswith("More strangers than the stated")]
    assert len(said) == advised
    assert not said or f"stated {100 * stated:g} %" in said[0]


@pytest.mark.parametrize(
    ("whom", "instead", "promised_to"),
    [
        (PromiseFor.WORST_GROUP, "a rarer FACEGATE_TARGET_FPIR", "the worst group of strangers"),
        (PromiseFor.MIXED, "FACEGATE_PROMISE_FOR=worst-group", "and not to a staff of one group"),
    ],
)
def test_the_audit_says_what_the_gallery_itself_meets(
    whom: PromiseFor, instead: str, promised_to: str
) -> None:
    thresholds = dataclasses.replace(THRESHOLDS, stated_fmr=0.002, promise_for=whom)
    clean = audited(gallery_of(made_people(20, 3)), thresholds)
    (said,) = (one for one in clean.advice if one.startswith("What this gallery itself meets"))
    assert "Strangers taken for somebody (1:N): 0 % (0 of 60;" in said
    assert "where 1 % is stated" in said
    assert "False claims accepted (1:1): 0 % (0 of 1,140;" in said
    assert "where 0.2 % is stated" in said
    assert promised_to in said
    assert not any(one.startswith("More strangers") for one in clean.advice)
    crowded = dataclasses.replace(with_alarms(0.01, 90, 3000), thresholds=thresholds)
    (advice,) = (one for one in advise(crowded) if one.startswith("More strangers"))
    assert instead in advice


def test_a_gallery_of_one_meets_nothing() -> None:
    advice = audited(gallery_of(made_people(1, 3))).advice
    assert not any(one.startswith("What this gallery") for one in advice)


def test_a_photo_unlike_its_person_has_no_other_where_nobody_else_is_enrolled() -> None:
    people = made_people(1, 3)
    people["E-0"][2] = made_people(1, 1, seed=9)["E-0"][0]
    outliers = audited(gallery_of(people)).outliers
    assert [one.photo_id for one in outliers] == ["E-0/2"]
    assert outliers[0].other_similarity is None


def test_an_audit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no photo"):
        audited(gallery_of({}))
