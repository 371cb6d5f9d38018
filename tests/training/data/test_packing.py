"""What is packed reads like what it was packed from."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from tests.training.made_data import picture, write_folder, write_tar
from training.data.packing import pack_data
from training.data.sources import read_sources
from training.foundation.errors import DataError
from training.recipes.recipe import CropSourceRecipe, Recipe, TeacherRecipe

RECIPE = Recipe(
    name="made",
    sources=(
        CropSourceRecipe(name="known", paths=("known.tar",), share=0.5, labelled=True),
        CropSourceRecipe(name="pools", paths=("pools.tar",), share=0.5, attributes="pools.csv"),
    ),
    teachers=(TeacherRecipe(name="t", path="teacher/t.pt", input_size=112, channels="rgb"),),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    folder = write_folder(root / "people", 3, 2)
    known = {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.png")}
    write_tar(root / "known.tar", known | {"person-9/broken.png": b"no picture"})
    write_tar(root / "pools.tar", {f"pools/{n}.jpg": picture(n, ".jpg") for n in range(4)})
    rows = [f"pools/{n}.jpg,female,north" for n in range(4)]
    (root / "pools.csv").write_text("\n".join(["file,gender,group", *rows]))
    (root / "teacher").mkdir()
    (root / "teacher" / "t.pt").write_bytes(b"weights")
    return root


def test_a_pack_reads_like_the_data_it_came_from(root: Path, tmp_path: Path) -> None:
    packed = pack_data(RECIPE, root, tmp_path / "pack", size=112, quality=95)
    before, after = read_sources(RECIPE, root), read_sources(RECIPE, tmp_path / "pack")
    assert sorted(after.files) == sorted(before.files)
    assert (after.groups >= 0).tolist() == (before.groups >= 0).tolist()
    order_before = [before.files.index(file) for file in sorted(before.files)]
    order_after = [after.files.index(file) for file in sorted(after.files)]
    difference = before.images[order_before].float() - after.images[order_after].float()
    assert float(difference.abs().mean()) < 4
    assert [file.pictures for file in packed] == [6, 4, 0, 0]
    assert (tmp_path / "pack/teacher/t.pt").read_bytes() == b"weights"


def test_a_pack_is_smaller_at_a_smaller_size_and_quality(root: Path, tmp_path: Path) -> None:
    large = pack_data(RECIPE, root, tmp_path / "large", size=128, quality=95)
    small = pack_data(RECIPE, root, tmp_path / "small", size=64, quality=50)
    assert small[0].size_bytes < large[0].size_bytes
    assert zipfile.ZipFile(small[0].path).testzip() is None


def test_the_original_is_read_where_both_are_there(root: Path) -> None:
    expected = read_sources(RECIPE, root)
    (root / "known.zip").write_bytes(b"not to be read")
    assert torch.equal(read_sources(RECIPE, root).images, expected.images)


def test_a_missing_shard_is_named(root: Path, tmp_path: Path) -> None:
    (root / "pools.tar").unlink()
    with pytest.raises(DataError, match=r"pools\.tar"):
        pack_data(RECIPE, root, tmp_path / "pack", size=112, quality=70)
