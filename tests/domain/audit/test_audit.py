"""The rates of an audit against the same rates counted one comparison at a time."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.audit.audit import audit
from app.domain.audit.comparisons import compare_everybody
from app.domain.audit.result import AuditThresholds
from app.domain.embeddings import centroid, similarity
from tests.domain.audit.planted import CALIBRATION, audited, gallery_of, made_people

LOW = AuditThresholds(identify=0.15, verify=0.1)


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
    found = compare_everybody(gallery, CALIBRATION, (0.2,), done.append)
    scores = (
        gallery.embeddings
        @ np.stack(
            [centroid(list(gallery.embeddings[gallery.owners == person])) for person in range(800)]
        ).T
    )
    scores[np.arange(1600), gallery.owners] = -1.0
    assert np.allclose(found.nearest, scores.max(axis=1), atol=1e-6)
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
    assert any("Enrol a second" in advice for advice in result.advice)


def test_an_audit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no photo"):
        audited(gallery_of({}))
