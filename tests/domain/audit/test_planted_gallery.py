"""A gallery with known faults: every one is found, and nobody else is accused."""

from __future__ import annotations

import pytest

from app.domain.audit.result import AuditResult, PhotoFinding, Weakness
from tests.domain.audit.planted import GOOD, audited, blend, blurred, gallery_of, made_people


def accused_pairs(result: AuditResult) -> set[tuple[str, str, str]]:
    return {
        (pair.finding.value, pair.first_employee_id, pair.second_employee_id)
        for pair in (*result.possible_duplicates, *result.confusable_pairs)
    }


def test_a_clean_gallery_accuses_nobody() -> None:
    result = audited(gallery_of(made_people(80, 3)))
    assert not accused_pairs(result)
    assert not result.outliers
    assert not result.weak_enrollments
    assert result.advice[0] == "Nothing was found that needs a hand."


@pytest.mark.parametrize("photos", [3, 5])
def test_every_plant_is_found_and_nothing_else(photos: int) -> None:
    people = made_people(60, photos)
    people["E-1"][0], people["E-2"][1] = people["E-2"][1], people["E-1"][0]
    more = made_people(60, 2 * photos)
    people["E-3-again"] = more["E-3"][photos:]
    people["E-5"] = [
        blend(mine, theirs, 0.6)
        for mine, theirs in zip(people["E-5"], more["E-6"][photos:], strict=True)
    ]
    people["E-7"] = people["E-7"][:1]
    result = audited(gallery_of(people, {"E-8": blurred(GOOD)}))
    assert accused_pairs(result) == {
        ("possible_duplicate", "E-3", "E-3-again"),
        ("confusable", "E-5", "E-6"),
    }
    assert {
        (one.photo_id, one.finding, one.other_employee_id, one.only_two_photos)
        for one in result.outliers
    } == {
        ("E-1/0", PhotoFinding.NEARER_TO_ANOTHER, "E-2", False),
        ("E-2/1", PhotoFinding.NEARER_TO_ANOTHER, "E-1", False),
    }
    assert {(one.employee_id, one.weaknesses) for one in result.weak_enrollments} == {
        ("E-7", (Weakness.ONE_PHOTO,)),
        ("E-8", (Weakness.BLURRED,)),
    }
    said = " ".join(result.advice)
    for word in ("one person each", "taken for one another", "do not look like", "weak"):
        assert word in said


def test_a_strangers_photo_is_far_from_its_person() -> None:
    people = made_people(40, 3)
    (stranger,) = made_people(1, 1, seed=9).values()
    people["E-4"][2] = stranger[0]
    result = audited(gallery_of(people))
    assert [(one.photo_id, one.finding) for one in result.outliers] == [
        ("E-4/2", PhotoFinding.FAR_FROM_OWN)
    ]
    assert result.outliers[0].other_employee_id is None


def test_of_two_photos_that_disagree_neither_is_called_the_right_one() -> None:
    people = made_people(40, 2)
    (stranger,) = made_people(1, 1, seed=9).values()
    people["E-4"][1] = stranger[0]
    outliers = audited(gallery_of(people)).outliers
    assert {one.photo_id for one in outliers} == {"E-4/0", "E-4/1"}
    assert all(one.only_two_photos for one in outliers)


def test_one_person_with_one_photo_under_each_of_two_ids_is_found() -> None:
    people = made_people(40, 3)
    twice = made_people(1, 2, seed=9)["E-0"]
    people["first"], people["second"] = twice[:1], twice[1:]
    assert accused_pairs(audited(gallery_of(people))) == {("possible_duplicate", "first", "second")}


def test_a_photo_under_the_wrong_id_makes_no_duplicate_of_two_people() -> None:
    people = made_people(40, 2)
    people["E-1"][0], people["E-2"][0] = people["E-2"][0], people["E-1"][0]
    result = audited(gallery_of(people))
    assert not accused_pairs(result)
    assert {one.employee_id for one in result.outliers} == {"E-1", "E-2"}
