from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.employees import GalleryEntry
from app.domain.model_manifest import Threshold
from app.domain.policy import RiskPolicy
from app.domain.tails import GenuineScores
from app.search.faiss_index import FaissGalleryIndex
from app.services.policy import DecisionPolicy
from tests.services.conftest import RISK
from tests.services.fakes import DIM, MANIFEST


def people_who_are(alike: float, people: int, twice: int = 0) -> list[GalleryEntry]:
    """Return people who are ``alike``; ``twice`` of them stand among them twice."""
    random = np.random.default_rng(1)
    faces = random.normal(size=(people, DIM)) + alike * np.eye(DIM)[0] * np.sqrt(DIM)
    faces[:twice] = faces[twice : 2 * twice]
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    return [
        GalleryEntry(key, face, ((key, face),))
        for key, face in enumerate(faces.astype(np.float32), start=1)
    ]


def index_of(people: int, alike: float, twice: int = 0) -> FaissGalleryIndex:
    index = FaissGalleryIndex(DIM)
    index.replace_all(people_who_are(alike, people, twice), 1)
    return index


def policy_of(index: FaissGalleryIndex) -> DecisionPolicy:
    genuine = GenuineScores(1, ((0.0, 0.7), (0.5, 0.95), (1.0, 0.999)))
    manifest = dataclasses.replace(MANIFEST, genuine=(genuine,))
    return DecisionPolicy(RiskPolicy(manifest, RISK), index, 0.5, 0.5)


def test_a_small_gallery_says_nothing_of_strangers() -> None:
    policy = policy_of(index_of(99, alike=1.0))
    assert policy.own_strangers() is None
    assert policy.identify() == policy.risk.promise(RISK.fpir, 99)


def test_people_who_are_alike_make_the_threshold_stricter() -> None:
    policy = policy_of(index_of(200, alike=1.0))
    own = policy.own_strangers()
    assert own is not None
    assert own.people == 200
    plain = policy.risk.promise(RISK.fpir, 200)
    assert policy.identify().threshold.similarity > plain.threshold.similarity
    assert policy.identify().promised_rate < plain.promised_rate


def test_a_false_claim_is_held_to_people_who_are_alike_as_well() -> None:
    policy = policy_of(index_of(200, alike=1.0))
    for fused in (False, True):
        plain, own = policy.risk.verify(fused=fused), policy.verify(fused=fused)
        assert own.threshold.similarity > plain.threshold.similarity
        assert own.promised_rate < plain.promised_rate
        assert own.people == 1


def test_people_who_are_unlike_do_not_make_it_looser() -> None:
    policy = policy_of(index_of(200, alike=0.0))
    plain = policy.risk.promise(RISK.fpir, 200)
    assert policy.identify().threshold.similarity >= plain.threshold.similarity
    assert policy.verify().threshold.similarity >= policy.risk.verify().threshold.similarity


def test_one_double_enrollment_does_not_close_the_door() -> None:
    clean, doubled = policy_of(index_of(300, 0.1)), policy_of(index_of(300, 0.1, twice=3))
    strict = doubled.identify().threshold.similarity
    assert strict == pytest.approx(clean.identify().threshold.similarity, abs=0.02)


def test_a_hundred_people_with_a_double_among_them_are_still_a_hundred() -> None:
    own = policy_of(index_of(100, 0.1, twice=1)).own_strangers()
    assert own is not None
    assert (own.people, own.pairs) == (100, 100 * 99 // 2 - 1)


def test_people_who_are_all_one_say_nothing_of_strangers() -> None:
    index = FaissGalleryIndex(DIM)
    (face,) = np.eye(1, DIM, dtype=np.float32)
    index.replace_all([GalleryEntry(key, face, ((key, face),)) for key in range(1, 121)], 1)
    assert policy_of(index).own_strangers() is None


def test_one_more_employee_costs_no_evidence() -> None:
    full, grown = policy_of(index_of(1000, 0.5)), policy_of(index_of(1001, 0.5))
    before, after = full.own_strangers(), grown.own_strangers()
    assert before is not None
    assert after is not None
    assert (before.people, before.pairs) == (after.people, after.pairs) == (1000, 499_500)


def test_a_burst_stays_stricter_than_a_photo_where_the_own_gallery_decides() -> None:
    model = dataclasses.replace(
        MANIFEST,
        identify=Threshold(MANIFEST.tails[0].threshold_at(1e-4) + 0.05, 1e-4, "everyone"),
        centroid_shifts=((1, 0.0), (5, 0.05)),
    )
    risk = RiskPolicy(model, RISK)
    policy = DecisionPolicy(risk, index_of(200, 0.9), 0.5, 0.5)
    photo, burst = (policy.identify(fused=fused, photos=1).threshold for fused in (False, True))
    assert photo.similarity > risk.promise(RISK.fpir, 200, photos=1).threshold.similarity
    assert burst.similarity == pytest.approx(photo.similarity + 0.05)
