from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.training.made_data import crop_set, picture, write_folder, write_tar
from training.data.crops import CropSet, read_crops
from training.data.sampling import BatchSampler
from training.foundation.errors import DataError
from training.recipes.recipe import CropSourceRecipe


def test_folders_and_tar_files_read_alike(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "people", 3, 2)
    members = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*.png"))
    }
    from_tar = read_crops("a", [write_tar(tmp_path / "a.tar", members)], labelled=True)
    from_folder = read_crops("a", [folder], labelled=True)
    assert from_tar.files == from_folder.files
    assert torch.equal(from_tar.images, from_folder.images)
    assert from_tar.identities.tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png"])
def test_every_format_is_read_as_rgb(tmp_path: Path, suffix: str) -> None:
    red = np.zeros((128, 128, 3), np.uint8)
    red[:, :, 2] = 200
    _, encoded = cv2.imencode(suffix, red)
    crops = read_crops(
        "a", [write_tar(tmp_path / "a.tar", {f"p/1{suffix}": encoded.tobytes()})], labelled=True
    )
    means = crops.images[0].float().mean(dim=(1, 2))
    assert float(means[0]) > 180
    assert float(means[1:].max()) < 20


def test_broken_pictures_are_passed_over(tmp_path: Path) -> None:
    members = {"p/1.png": picture(1), "p/2.png": b"broken", "q/3.png": picture(3)}
    crops = read_crops("a", [write_tar(tmp_path / "a.tar", members)], labelled=True)
    assert crops.files == ("p/1.png", "q/3.png")


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable picture"):
        read_crops("a", [write_tar(tmp_path / "a.tar", {"p/1.png": b"x"})], labelled=True)
    with pytest.raises(DataError, match="neither a folder nor a tar"):
        read_crops("a", [tmp_path / "missing.tar"], labelled=True)


def test_an_archive_that_breaks_off_is_named(tmp_path: Path) -> None:
    members = {f"p/{n}.png": picture(n) for n in range(3)}
    whole = write_tar(tmp_path / "whole.tar", members).read_bytes()
    (tmp_path / "half.tar").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "half.tar.gz").write_bytes(gzip.compress(whole)[:-3000])
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    packed = (tmp_path / "packed.zip").read_bytes()
    changed = bytearray(packed)
    changed[200:220] = bytes(20)
    (tmp_path / "changed.zip").write_bytes(changed)
    (tmp_path / "half.zip").write_bytes(packed[: len(packed) // 2])
    for name in ("half.tar", "half.tar.gz", "changed.zip", "half.zip"):
        with pytest.raises(DataError, match=rf"{name} is .*not whole"):
            read_crops("a", [tmp_path / name], labelled=True)


def test_black_borders_are_marked_and_black_eyes_are_not(tmp_path: Path) -> None:
    image = np.full((128, 128, 3), 120, np.uint8)
    image[:30] = 0
    image[60:66, 60:66] = 0
    _, encoded = cv2.imencode(".png", image)
    shard = write_tar(tmp_path / "a.tar", {"p/1.png": encoded.tobytes()})
    marked = read_crops("a", [shard], labelled=False, mark_black=True).images[0]
    assert (marked[:, :30] == 0).all()
    assert (marked[:, 60:66, 60:66] == 1).all()
    plain = read_crops("a", [shard], labelled=False).images[0]
    assert int(plain.min()) == 1


def test_people_of_one_group_and_gender_form_a_pool(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "a.tar", {f"f/{n}.png": picture(n) for n in range(4)})
    table = tmp_path / "a.csv"
    table.write_text("file,gender,group\nf/0.png,male,a\nf/1.png,female,a\nf/2.png,male,a\n")
    groups = read_crops("a", [shard], labelled=False, attributes=table).groups.tolist()
    assert groups[0] == groups[2] != groups[1]
    assert groups[3] == -1
    table.write_text("file,sex\n")
    with pytest.raises(DataError, match="lacks the columns"):
        read_crops("a", [shard], labelled=False, attributes=table)


def test_sets_join_without_mixing_people(tmp_path: Path) -> None:
    one = read_crops("a", [write_folder(tmp_path / "a", 2, 2)], labelled=True)
    two = read_crops("b", [write_folder(tmp_path / "b", 2, 1)], labelled=True)
    three = read_crops("c", [write_folder(tmp_path / "c", 1, 1)], labelled=False)
    joined = CropSet.concatenate([one, two, three])
    assert joined.identities.tolist() == [0, 0, 1, 1, 2, 3, -1]
    assert joined.sources.tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert joined.source_names == ("a", "b", "c")


SOURCES = (
    CropSourceRecipe(name="a", paths=("a",), labelled=True, share=0.5),
    CropSourceRecipe(name="b", paths=("b",), attributes="b.csv", share=0.5),
)


def test_batches_keep_shares_pairs_and_pools() -> None:
    identities = [n // 3 for n in range(30)] + [-1] * 40
    crops = crop_set(identities, [-1] * 30 + [n % 4 for n in range(40)], [0] * 30 + [1] * 40)
    sampler = BatchSampler(crops, SOURCES, 32, torch.Generator().manual_seed(1))
    for _ in range(50):
        rows = sampler.draw()
        assert len(rows) == 32
        assert int((crops.sources[rows] == 0).sum()) == 16
        people = crops.identities[rows[:16]]
        assert torch.equal(people[:8], people[8:])
        assert not (rows[:8] == rows[8:16]).any()
        pool = crops.groups[rows[16:24]]
        assert (pool == pool[0]).all()


def test_a_person_with_one_picture_is_paired_with_itself() -> None:
    crops = crop_set([0, 1, 2], [-1] * 3, [0] * 3)
    source = (CropSourceRecipe(name="a", paths=("a",), labelled=True, share=1.0),)
    rows = BatchSampler(crops, source, 4, torch.Generator().manual_seed(1)).draw()
    assert torch.equal(rows[:2], rows[2:])
