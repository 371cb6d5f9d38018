"""Pairs that reach a threshold are named, whoever is nearest to whom."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.domain.audit.alike import MAX_PAIRS, AlikePairs
from app.domain.audit.result import AuditResult
from app.domain.embeddings import Embedding, centroid, similarity
from tests.domain.audit.planted import (
    DIM,
    THRESHOLDS,
    audited,
    gallery_of,
    made_people,
    unit,
)

DIRECTIONS = np.linalg.qr(np.random.default_rng(7).normal(size=(DIM, DIM)))[0].T


def three_ids(apart: float, photos: int = 3, noise: float = 0.33) -> dict[str, list[Embedding]]:
    """Return three ids of one person: of ``b`` and ``c`` every photo is nearest to ``a``.

    ``apart`` and ``noise`` are squares of how far an id and a photo lie beside the person.
    """
    beside = iter(DIRECTIONS[3:])
    return {
        name: [
            unit(
                DIRECTIONS[0]
                + (np.sqrt(apart) * away if away is not None else 0)
                + np.sqrt(noise) * next(beside)
            )
            for _ in range(photos)
        ]
        for name, away in (("a", None), ("b", DIRECTIONS[1]), ("c", DIRECTIONS[2]))
    }


def assert_nearest_is_a(ids: dict[str, list[Embedding]]) -> None:
    for one, other in (("b", "c"), ("c", "b")):
        to_a = centroid(ids["a"])
        to_other = centroid(ids[other])
        assert all(similarity(p, to_a) > similarity(p, to_other) for p in ids[one])
        assert similarity(centroid(ids[one]), to_a) > similarity(centroid(ids[one]), to_other)


def named(result: AuditResult) -> set[tuple[str, str]]:
    pairs = (*result.possible_duplicates, *result.confusable_pairs)
    return {(pair.first_employee_id, pair.second_employee_id) for pair in pairs}


def test_of_three_ids_of_one_person_every_two_are_named() -> None:
    ids = three_ids(apart=0.05)
    assert_nearest_is_a(ids)
    result = audited(gallery_of(made_people(40, 3) | ids))
    assert {
        (pair.first_employee_id, pair.second_employee_id) for pair in result.possible_duplicates
    } == {("a", "b"), ("a", "c"), ("b", "c")}
    assert result.possible_duplicate_count == 3
    assert not result.pairs_cut


def test_of_three_people_who_can_be_confused_every_two_are_named() -> None:
    ids = three_ids(apart=0.15)
    assert_nearest_is_a(ids)
    result = audited(gallery_of(made_people(40, 3) | ids))
    assert named(result) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert ("b", "c") in {
        (pair.first_employee_id, pair.second_employee_id) for pair in result.confusable_pairs
    }


def test_pairs_are_found_that_only_misplaced_photos_kept_apart() -> None:
    people, strangers = made_people(40, 3), made_people(40, 4)
    ids = three_ids(apart=0.33, photos=2)
    ids["b"].append(strangers["E-5"][3])
    ids["c"].append(strangers["E-6"][3])
    for one, other in (("b", "c"), ("c", "b")):
        assert max(similarity(photo, centroid(ids[other])) for photo in ids[one]) < 0.59
        assert min(similarity(photo, centroid(ids[other][:2])) for photo in ids[one][:2]) > 0.6
    result = audited(gallery_of(people | ids))
    assert {one.photo_id for one in result.outliers} == {"b/2", "c/2"}
    assert named(result) == {("a", "b"), ("a", "c"), ("b", "c")}


def test_whom_the_enrollment_guard_would_ask_about_is_named() -> None:
    people = made_people(300, 3)
    centre, first, second = DIRECTIONS[0], DIRECTIONS[1], DIRECTIONS[2]
    beside = iter(DIRECTIONS[3:])
    for name, away in (("first", first), ("second", second)):
        people[name] = [unit(centre + 0.5 * away + 0.9 * next(beside)) for _ in range(3)]
    one, other = people["first"], people["second"]
    reached = max(similarity(photo, centroid(other)) for photo in one)
    centroids = similarity(centroid(one), centroid(other))
    assert reached < 0.59 < centroids < 0.66  # two centroids are nearer than photo and centroid
    gallery = gallery_of(people)
    assert not named(audited(gallery))
    asking = dataclasses.replace(THRESHOLDS, duplicate=centroids - 0.01)
    assert named(audited(gallery, asking)) == {("first", "second")}


@pytest.mark.parametrize("max_pairs", [10, 1000])
def test_the_most_alike_pairs_are_kept_in_blocks_of_any_size(max_pairs: int) -> None:
    random = np.random.default_rng(3)
    people, limit = 30, 0.5
    owners = np.repeat(np.arange(people), 3)
    scores = random.uniform(-1, 1, (len(owners), people)).astype(np.float32)
    best: dict[tuple[int, int], float] = {}
    for row, owner in enumerate(owners.tolist()):
        for other in range(people):
            if other != owner and scores[row, other] >= limit:
                pair = (min(owner, other), max(owner, other))
                best[pair] = max(best.get(pair, -1.0), float(scores[row, other]))
    expected = sorted(best, key=lambda pair: -best[pair])[:max_pairs]
    alike = AlikePairs(np.full(people, limit), 1.0, max_pairs)
    for start in range(0, len(owners), 4):
        alike.add_photos(scores[start : start + 4], owners[start : start + 4])
    pairs, truncated = alike.kept()
    assert {(one, other) for one, other in pairs.tolist()} == set(expected)
    assert truncated == (len(best) > max_pairs)


def test_everybody_is_held_to_the_limit_of_their_own_photos() -> None:
    scores = np.array([[-1.0, 0.55, 0.55], [0.55, -1.0, 0.45], [0.65, 0.45, -1.0]], np.float32)
    alike = AlikePairs(np.array([0.6, 0.5, 0.6]), 1.0)
    alike.add_photos(scores, np.arange(3))
    # 0.55 is enough with the second person, who has fewer photos, and not with the first or third.
    assert {tuple(pair) for pair in alike.kept()[0].tolist()} == {(0, 1), (0, 2)}
    alike.add_photos(np.array([[0.52]], np.float32), np.array([2]), np.array([1]))
    assert {tuple(pair) for pair in alike.kept()[0].tolist()} == {(0, 1), (0, 2), (1, 2)}


def test_where_everybody_is_alike_the_audit_says_that_it_judged_some() -> None:
    random = np.random.default_rng(5)
    centre = random.normal(size=DIM) / 16
    crowd = {f"X-{n}": [unit(centre + 0.02 * random.normal(size=DIM))] for n in range(460)}
    result = audited(gallery_of(crowd))
    assert result.pairs_cut
    assert MAX_PAIRS <= result.possible_duplicate_count < 460 * 459 / 2
    assert any("numbers of pairs are too low" in advice for advice in result.advice)
