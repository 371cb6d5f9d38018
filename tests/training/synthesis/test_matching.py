from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.synthesis.matching import (
    likenesses,
    match_photos,
    most_alike,
    most_distinct,
    pair_up,
)
from training.synthesis.parents import Parent, family

FloatArray = npt.NDArray[np.float64]
ANY = (-1.0, 1.0)


def unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def parent(identity: str, shifts: list[float]) -> Parent:
    crops = np.full((len(shifts), 128, 128, 3), 100, np.uint8)
    crops[:, 40:60, 30:50] = 200
    base = np.array([[46, 60], [82, 60], [64, 80], [50, 100], [79, 100]], dtype=np.float64)
    landmarks = np.stack([base + np.array([shift, 0.0]) for shift in shifts])
    return Parent(identity, crops, landmarks, tuple(f"{identity}/{n}" for n in range(len(shifts))))


def directions(*degrees: float) -> FloatArray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)[None]


def test_the_most_alike_are_paired_and_nobody_twice() -> None:
    people = [parent(name, [0.0]) for name in "abcd"]
    assert pair_up(people, directions(0, 10, 50, 70), ANY) == [(0, 1), (2, 3)]


def test_too_much_or_too_little_likeness_makes_no_pair() -> None:
    people = [parent(name, [0.0]) for name in "abc"]
    assert pair_up(people, directions(0, 5, 60), (0.1, 0.9)) == [(1, 2)]


def test_relatives_are_not_paired() -> None:
    people = [parent(name, [0.0]) for name in ("fiw-F0001-MID1", "fiw-F0001-MID2", "celeba-1")]
    assert pair_up(people, directions(0, 1, 60), ANY) == [(1, 2)]
    assert family("fiw-F0001-MID1") == family("fiw-F0001-MID3")
    assert family("celeba-1") != family("celeba-2")


def test_photos_of_one_pose_go_together() -> None:
    couple = match_photos(parent("a", [0.0, 8.0, 4.0]), parent("b", [8.1, 0.3, 20.0]), max_photos=2)
    matched = dict(zip(couple.first.files, couple.second.files, strict=True))
    assert matched == {"a/1": "b/0", "a/0": "b/1"}


def test_the_photos_most_alike_are_chosen_but_no_copies() -> None:
    looks = directions(0, 0.5, 30, 50, 170)
    assert most_alike(looks, 3, 0.97) in [(0, 2, 3), (1, 2, 3)]
    assert most_alike(looks[:, :2], 2, 0.97) is None
    assert most_alike(looks[:, :1], 2, 0.97) is None


def test_likenesses_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    looks = [unit(rng.normal(size=(2, 4, 8))) for _ in range(5)]
    own, others = likenesses(looks, enrolled=2)
    for teacher in range(2):
        for one in range(5):
            centre = unit(looks[one][teacher, :2].mean(axis=0))
            genuine = [float(centre @ photo) for photo in looks[one][teacher, 2:]]
            assert np.isclose(own[teacher, one], min(genuine))
            for other in range(5):
                alike = [float(centre @ photo) for photo in looks[other][teacher]]
                expected = -1.0 if one == other else max(alike)
                assert np.isclose(others[teacher, one, other], expected)


def test_the_person_like_another_is_left_out() -> None:
    rng = np.random.default_rng(1)
    centres = np.eye(6)
    looks = [unit(centres[n] + 0.05 * rng.normal(size=(1, 4, 6))) for n in range(5)]
    looks.append(unit(centres[2] + 0.3 * centres[5] + 0.05 * rng.normal(size=(1, 4, 6))))
    kept = most_distinct(looks, enrolled=2, count=5)
    assert {2, 5} - set(kept)
    assert {0, 1, 3, 4} <= set(kept)
