from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.vision.reader import FaceVision
from tests.training.synthesis.doubles import (
    PEOPLE,
    CoarseTeachers,
    invented_crops,
    invented_parent,
    new_vision,
)
from training.synthesis.encoding import encode_small
from training.synthesis.parents import Parent, ParentOptions, read_parents
from training.synthesis.people import PeopleOptions, make_people, margins
from training.synthesis.people_readme import SynthesisReport, write_readme

OPTIONS = PeopleOptions(
    people=2,
    photos=2,
    enrolled=1,
    candidates=3,
    alike=(-1.0, 0.999),
    min_likeness=-1.0,
    copies_from=2.0,
    min_face_pixels=100,
)


@pytest.fixture(scope="module")
def vision() -> FaceVision:
    return new_vision()


@pytest.fixture(scope="module")
def parents(vision: FaceVision) -> list[Parent]:
    return [invented_parent(vision, number) for number in range(1, 7)]


def test_people_are_made_as_asked_and_the_same_for_one_seed(
    parents: list[Parent], vision: FaceVision
) -> None:
    people, again, others = (
        make_people(parents, replace(OPTIONS, seed=seed), CoarseTeachers(), vision, lambda _: None)
        for seed in (1, 1, 2)
    )
    assert len(people) == 2
    assert all(len(person.scenes) == 2 for person in people)
    assert [person.scenes for person in people] == [person.scenes for person in again]
    assert [person.scenes for person in people] != [person.scenes for person in others]
    used = [identity for person in people for identity in person.parents]
    assert len(set(used)) == 4
    genuine, impostor = margins(people, enrolled=1)
    assert genuine.shape == impostor.shape == (2,)


def test_too_few_parents_are_an_error(parents: list[Parent], vision: FaceVision) -> None:
    with pytest.raises(ValueError, match="give more parents"):
        make_people(parents[:2], OPTIONS, CoarseTeachers(), vision, lambda _: None)


def write_crops(folder: Path, identity: str, crops: np.ndarray) -> None:
    (folder / identity).mkdir(parents=True)
    for place, crop in enumerate(crops):
        content = encode_small(crop, 50_000)
        assert content is not None
        (folder / identity / f"{place:04d}.jpg").write_bytes(content)


def test_parents_are_clear_faces_that_fill_the_crop(tmp_path: Path, vision: FaceVision) -> None:
    clear = invented_crops(vision, 1)
    write_crops(tmp_path, "clear", clear)
    write_crops(tmp_path, "dark", clear // 5)
    write_crops(tmp_path, "excluded", invented_crops(vision, 2))
    cut = clear.copy()
    cut[:, :30] = 0
    write_crops(tmp_path, "cut", cut)
    write_crops(tmp_path, "nobody", np.full((4, 128, 128, 3), 130, np.uint8))
    write_crops(tmp_path, "few", clear[:2])
    options = ParentOptions(
        people=9, min_photos=3, min_sharpness=5, excluded=frozenset({"excluded"})
    )
    parents = read_parents([tmp_path], options, vision, np.random.default_rng(0), lambda _: None)
    assert [parent.identity for parent in parents] == ["clear"]
    assert parents[0].landmarks.shape == (len(parents[0].files), 5, 2)


def test_the_readme_says_how_and_that_nobody_exists(tmp_path: Path) -> None:
    report = SynthesisReport(
        people=3,
        photos=4,
        enrolled=2,
        seed=7,
        teachers=("first",),
        min_genuine=(0.7,),
        highest_impostor=(0.31,),
        parent_likeness=(0.4, 0.5, 0.6),
    )
    write_readme(report, tmp_path / "new" / "README.md")
    text = (tmp_path / "new" / "README.md").read_text()
    assert "--people 3 --photos 4 --seed 7" in text
    assert "| first | 0.700 | 0.310 | 0.390 |" in text
    assert "0.50 in the middle" in text
    assert "Nobody here exists" in text
    assert PEOPLE.name == "people"
