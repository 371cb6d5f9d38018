"""No quality limit refuses one group much more often than another."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import tarfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.domain.faces import ENROLLMENT_LIMITS, FaceQuality, QualityLimits
from app.domain.recognisability import Recognisability
from tests.vision.pictures import encoded, smooth_noise
from training.data.populations import Pool
from training.foundation.arrays import Matrix
from training.studies.quality_limits.grouped_faces import (
    WholePhoto,
    chosen_of_pools,
    measure_grouped_crops,
    measure_stored_crop,
    measure_whole_photos,
    read_whole_photos,
)
from training.studies.quality_limits.refusals import (
    GroupedFaces,
    limit_names,
    ratio_lower_bound,
    refusals_by_group,
    unequal_limits,
)
from training.studies.quality_limits.tables import refusals_sheet

PEOPLE = Path(__file__).parents[3] / "fixtures" / "people"
GOOD = FaceQuality(
    size_pixels=100.0,
    sharpness=500.0,
    brightness=120.0,
    yaw_degrees=0.0,
    pitch_degrees=0.0,
    roll_degrees=0.0,
    detector_score=0.95,
    clipped_shadows=0.0,
    clipped_highlights=0.0,
    contrast_to_noise=30.0,
)


def faces_of(**refused: tuple[int, int]) -> GroupedFaces:
    """Return groups of so many faces, of which so many are of a measure that nothing accepts."""
    groups: list[str] = []
    qualities: list[FaceQuality] = []
    for group, (bad, of) in refused.items():
        groups += [group] * of
        qualities += [dataclasses.replace(GOOD, yaw_degrees=-89.0)] * bad + [GOOD] * (of - bad)
    return GroupedFaces("made", tuple(groups), tuple(qualities))


def measured_limits(quality: FaceQuality) -> set[str]:
    """Return the limits whose measure the face has."""
    return {name for name in limit_names() if getattr(quality, name[4:]) is not None}


def test_the_limits_of_brightness_fail_on_the_figures_they_had() -> None:
    """FairFace crops refused for their brightness at enrollment: black, white, east asian."""
    assert ratio_lower_bound((814, 6546), (308, 9977)) > 3
    faces = faces_of(black=(814, 6546), white=(308, 9977), east=(250, 6587))
    (found,) = unequal_limits(one for one in refusals_by_group(faces) if one.stage == "door")
    assert (found.limit, found.most_refused, found.least_refused) == (
        "max_yaw_degrees",
        "black",
        "white",
    )
    assert found.ratio == pytest.approx(814 / 6546 * 9977 / 308)
    assert "4.0 times as often as white" in str(found)


def test_few_refusals_are_chance_and_many_are_not() -> None:
    assert not unequal_limits(refusals_by_group(faces_of(one=(4, 6546), other=(1, 6587))))
    assert not unequal_limits(refusals_by_group(faces_of(one=(140, 10000), other=(100, 10000))))
    assert unequal_limits(refusals_by_group(faces_of(one=(40, 6546), other=(0, 6587))))


def test_what_brightness_refused_is_shown_and_not_judged() -> None:
    dark = dataclasses.replace(GOOD, brightness=30.0)
    faces = GroupedFaces("made", ("a",) * 200 + ("b",) * 200, (dark,) * 200 + (GOOD,) * 200)
    found = refusals_by_group(faces)
    assert not unequal_limits(found)
    shown = [one for one in found if one.unequal]
    assert {one.in_force for one in shown} == {False}
    assert len(shown) == 2
    sheet = refusals_sheet(found)
    assert {len(row) for row in sheet.rows} == {len(sheet.head)}
    assert sum("was UNEQUAL" in row for row in sheet.rows) == 2


def test_every_limit_is_counted_and_a_small_group_is_not() -> None:
    assert set(limit_names()) == {one.name for one in dataclasses.fields(QualityLimits)}
    in_force = [
        one
        for one in refusals_by_group(faces_of(a=(9, 200), b=(3, 200), c=(9, 99)))
        if one.in_force
    ]
    assert {one.limit for one in in_force} == measured_limits(GOOD)
    assert all([group for group, _ in one.rates] == ["a", "b"] for one in in_force)
    (yaw,) = (one for one in in_force if one.limit == "max_yaw_degrees" and one.stage == "door")
    assert [(rate.errors, rate.trials) for _, rate in yaw.rates] == [(9, 200), (3, 200)]
    unknown = GroupedFaces("made", ("", "a") * 150, (GOOD,) * 300)
    assert not refusals_by_group(unknown)


def test_what_was_not_measured_is_no_refusal_and_no_trial() -> None:
    unknown = dataclasses.replace(GOOD, size_pixels=math.nan, contrast_to_noise=None)
    faces = GroupedFaces("made", ("a", "b") * 150, (unknown,) * 300)
    in_force = {one.limit for one in refusals_by_group(faces) if one.in_force}
    assert in_force == measured_limits(GOOD) - {"min_size_pixels", "min_contrast_to_noise"}


COUNTS = st.tuples(st.integers(0, 60), st.integers(60, 9000))


@given(first=COUNTS, second=COUNTS)
def test_the_bound_is_the_exact_one_of_two_counts(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    """At the bound the first count is as unlikely as the confidence allows."""
    (one, of), (other, rest) = first, second
    bound = ratio_lower_bound(first, second)
    if one == 0:
        assert bound == 0
        return
    share = bound * of / (bound * of + rest)
    assert stats.binom.sf(one - 1, one + other, share) == pytest.approx(0.05, rel=1e-3)
    assert other == 0 or bound <= (one / of) / (other / rest)


def crop(black: int) -> np.ndarray:
    """Return a crop of which ``black`` columns on the left end the picture."""
    picture = smooth_noise(128, 3, 40).copy()
    picture[:, :black] = 0
    return picture


def test_the_end_of_the_picture_is_no_shadow_and_no_edge() -> None:
    whole = np.maximum(crop(0), 1).transpose(2, 0, 1)
    ended = whole.copy()
    ended[:, :, :60] = 0
    before, after = measure_stored_crop(whole, None), measure_stored_crop(ended, None)
    assert after.clipped_shadows == before.clipped_shadows == 0
    assert after.sharpness == pytest.approx(before.sharpness, rel=0.3)
    assert after.brightness > 80
    assert math.isnan(after.yaw_degrees)
    nothing = measure_stored_crop(np.zeros_like(whole), None)
    assert math.isnan(nothing.sharpness)


def test_crops_are_measured_in_the_groups_that_a_table_tells(tmp_path: Path) -> None:
    folder = tmp_path / "crops"
    folder.mkdir()
    for number in range(4):
        assert cv2.imwrite(str(folder / f"{number}.png"), crop(60))
    (folder / "4.png").write_bytes(b"no picture")
    with (tmp_path / "table.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["file", "gender", "group"],
                ["x/0.png", "", "a"],
                ["1.png", "", "b"],
                ["2.png", "", ""],
                ["4.png", "", "a"],
            ]
        )
    faces = measure_grouped_crops("made", [folder], tmp_path / "table.csv", mark_black=True)
    assert faces.groups == ("a", "b")
    assert [one.clipped_shadows for one in faces.qualities] == [0, 0]
    shown = measure_grouped_crops("made", [folder], tmp_path / "table.csv", mark_black=False)
    # What is recognised is the face as the service cuts it: beyond the picture its border.
    seen: list[float] = []

    def recognise(face: npt.NDArray[np.uint8]) -> float:
        seen.append(float(face.min()))
        return 0.5

    known = measure_grouped_crops(
        "made",
        [folder],
        tmp_path / "table.csv",
        mark_black=True,
        posed_per_group=1,
        recognise=recognise,
    )
    assert [one.recognisability for one in known.qualities] == [0.5, 0.5]
    assert min(seen) > 0
    dark = [one.clipped_shadows or 0 for one in shown.qualities]
    assert min(dark) > ENROLLMENT_LIMITS.max_clipped_shadows / 2  # read as shadow it would count


def test_some_of_each_pool_are_the_same_strangers_by_their_new_places() -> None:
    pools = [Pool("a", np.array([5, 1, 9])), Pool("b", np.array([2, 7]))]
    rows, some = chosen_of_pools(pools, 2)
    assert rows.tolist() == [5, 1, 2, 7]
    assert [(pool.name, rows[pool.rows].tolist()) for pool in some] == [
        ("a", [5, 1]),
        ("b", [2, 7]),
    ]


class MeanColours:
    """Embeds a crop by its mean colours."""

    def embed_faces(self, faces: npt.NDArray[np.uint8]) -> Matrix:
        means = faces.reshape(len(faces), 3, -1).mean(axis=2)
        unit: Matrix = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return unit


def test_a_whole_photo_counts_for_the_group_that_its_person_resembles(tmp_path: Path) -> None:
    portraits = sorted(PEOPLE.rglob("*.jpg"))[:2]
    label = {"file": "0.jpg", "identity": "somebody"}
    write_tar(tmp_path / "lfw-photos.tar", {"Ann/Ann_0001.jpg": portraits[0].read_bytes()})
    write_tar(
        tmp_path / "photos.tar",
        {"0.jpg": portraits[1].read_bytes(), "labels.jsonl": json.dumps(label).encode()},
    )
    photos = list(read_whole_photos(tmp_path))
    assert [photo.person for photo in photos] == ["lfw Ann", "somebody"]
    empty = WholePhoto("nobody", encoded(np.full((200, 200, 3), 90, np.uint8), "PNG"))
    likeness = np.array([[1, 1, 1], [-1, -1, -1]], np.float32) / np.sqrt(np.float32(3))
    pools = [Pool("like", np.array([0])), Pool("unlike", np.array([1]))]
    faces = measure_whole_photos([*photos, empty], MeanColours(), likeness, pools)
    assert faces.source == "whole photos of 2 people"
    assert faces.groups == ("like", "like")
    assert all(one.size_pixels > 20 for one in faces.qualities)
    assert all(one.contrast_to_noise is not None for one in faces.qualities)
    centres = Recognisability(likeness[1:], 0.2, 0.1)
    seen = measure_whole_photos(photos[:1], MeanColours(), likeness, pools, centres)
    assert seen.qualities[0].recognisability == 1.0


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
