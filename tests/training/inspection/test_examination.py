from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from tests.training.data.made_images import image_set, pixels, write_identities
from tests.training.made_data import write_tar
from training.data.images import ImageSet
from training.data.readers.folders import read_folders
from training.data.readers.shards import read_shards
from training.inspection.examination import inspect_images
from training.inspection.findings import InspectionReport, PictureSize


def printed(report: InspectionReport) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(report.table())
    return capture.get()


def test_a_clean_set_has_counts_and_no_findings() -> None:
    grey = pixels(5, 30, 20)[:, :, :1].repeat(3, axis=2)
    report = inspect_images(
        image_set([("a", pixels(1)), ("a", pixels(2)), ("b", pixels(3)), ("b", grey)])
    )
    assert report.findings == ()
    assert (report.images, report.readable, report.identities) == (4, 4, 2)
    assert report.channels == (("colour", 3), ("grey", 1))
    assert report.sizes == (PictureSize(20, 20, 3), PictureSize(20, 30, 1))
    assert report.per_identity is not None
    assert report.per_identity.histogram == ((2, 2),)


def test_the_spread_of_images_per_identity_is_told() -> None:
    counts = {"a": 1, "b": 2, "c": 2, "d": 9}
    labels = [label for label, count in counts.items() for _ in range(count)]
    report = inspect_images(image_set([(label, pixels(n)) for n, label in enumerate(labels)]))
    spread = report.per_identity
    assert spread is not None
    assert (spread.least, spread.median, spread.most) == (1, 2.0, 9)
    assert spread.histogram == ((1, 1), (2, 2), (9, 1))
    assert report.single_image_identities == ("a",)
    assert report.findings == ("1 identities have one image, so no pair",)
    assert "8-15 images: 1" in printed(report)


def test_what_decoding_hides_of_the_files_is_counted(tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 2, "bob": 1})
    Image.new("RGBA", (9, 9), (200, 10, 10, 90)).save(root / "bob" / "clear.png")
    Image.new("I;16", (9, 9), 30_000).save(root / "bob" / "deep.png")
    Image.new("CMYK", (9, 9), (9, 60, 4, 2)).save(root / "ada" / "print.jpg")
    (root / "ada" / "broken.png").write_bytes(b"broken")
    expected = (("CMYK", 1), ("I;16", 1), ("RGB", 3), ("RGBA", 1))
    report = inspect_images(read_folders(root))
    assert report.stored == expected
    assert "CMYK: 1, I;16: 1, RGB: 3, RGBA: 1" in printed(report)
    members = {f.relative_to(root).as_posix(): f.read_bytes() for f in root.glob("*/*")}
    assert inspect_images(read_shards(write_tar(tmp_path / "a.tar", members))).stored == expected
    assert inspect_images(image_set([("a", pixels(1))])).stored == ()


def test_a_corrupt_file_is_listed_and_not_fatal(tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 3})
    (root / "ada" / "1.png").write_bytes(b"broken")
    report = inspect_images(read_folders(root))
    assert (report.images, report.readable) == (3, 2)
    assert [(bad.key, bad.reason) for bad in report.unreadable] == [
        ("ada/1.png", "this is no picture that can be decoded")
    ]
    assert report.findings == ("1 images cannot be read and are skipped",)


def test_a_set_of_which_nothing_can_be_read_is_reported_too() -> None:
    report = inspect_images(ImageSet("none", ()))
    assert report.per_identity is None
    assert report.readable == 0
    assert "without identity" in printed(report)


def test_copies_are_told_apart_across_identities_and_within_one() -> None:
    one, two = pixels(1), pixels(2)
    within = inspect_images(
        image_set([("a", one), ("a", one), ("a", one), ("b", two), ("b", pixels(3))])
    )
    assert (within.copies, within.own_copies) == ((), (("0", "1", "2"),))
    assert within.findings == (
        "2 images are there again within their identity: a pair of copies teaches nothing",
    )
    assert "0 = 1 = 2" in printed(within)
    across = image_set([("a", one), ("a", two), ("b", one), ("b", pixels(3))])
    assert inspect_images(across).copies == (("0", "2"),)
    assert inspect_images(across).near_duplicate_count == 0


def test_a_copy_in_another_split_is_a_leak() -> None:
    images = image_set([("a", pixels(1)), ("a", pixels(1)), ("a", pixels(2))])
    parts = ("train", "test", "train")
    items = tuple(replace(i, split=part) for i, part in zip(images.items, parts, strict=True))
    report = inspect_images(ImageSet("split", items))
    assert report.copies == (("0", "1"),)
    assert report.splits == (("test", 1), ("train", 2))


def test_near_duplicates_count_across_identities_and_for_the_unknown() -> None:
    picture = pixels(1, 64, 64)
    near = (picture * 0.8 + 20).astype(np.uint8)
    for labels, expected in ((("a", "a"), 0), (("a", "b"), 1), ((None, "b"), 1), ((None, None), 1)):
        images = image_set([(labels[0], picture), (labels[1], near), ("c", pixels(9, 64, 64))])
        report = inspect_images(images)
        assert report.near_duplicate_count == len(report.near_duplicates) == expected
        if expected:
            assert (report.near_duplicates[0].first, report.near_duplicates[0].second) == ("0", "1")
            assert report.near_duplicates[0].correlation > 0.999


def test_json_holds_everything_the_table_does_not(tmp_path: Path) -> None:
    singles = write_identities(tmp_path, {f"person [{n}]": 1 for n in range(12)})
    report = inspect_images(read_folders(singles))
    document = json.loads(report.to_json())
    assert len(document["single_image_identities"]) == 12
    assert document["findings"] == list(report.findings)
    text = printed(report)
    assert "person [0]" in text
    assert "and 2 more" in text
