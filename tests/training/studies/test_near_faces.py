"""The door's look at a reduced picture against the whole search, on people who do not exist."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from app.settings import Settings
from training.studies.near_faces import NearFaceRecord, run, tables

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> NearFaceRecord:
    root = tmp_path_factory.mktemp("photos")
    for name in ("lfw-photos.tar", "photos.tar"):
        with tarfile.open(root / name, "w") as archive:
            for person in (1, 2):
                photo = PEOPLE / f"person-{person:02d}" / "1.jpg"
                archive.add(photo, f"P{person}/1.jpg")
    return run(root, Settings().model_dir, photos=2)


def test_both_ways_find_the_same_face_at_every_size(record: NearFaceRecord) -> None:
    for found in (*record.lfw, *record.photos):
        assert found.frames == 2
        assert found.missed[1] <= found.missed[0]
        assert found.similarity > 0.98, found.height


def test_large_faces_are_looked_at_with_less_detail(record: NearFaceRecord) -> None:
    by_height = {found.height: found for found in record.lfw}
    assert by_height[720].reduced == 2
    assert by_height[240].reduced == 0


def test_the_table_has_a_row_for_each_source_and_height(record: NearFaceRecord) -> None:
    (sheet,) = tables(record)
    assert len(sheet.rows) == len(record.lfw) + len(record.photos)
