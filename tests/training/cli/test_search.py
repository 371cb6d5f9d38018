"""The three commands with the shipped embedder and people who do not exist."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from app.settings import Settings
from app.vision.alignment import align_face
from training.cli.search import embed, search, verify
from training.foundation.errors import DataError
from training.search.embedder import FaceEmbedder, UnusablePictureError, read_picture
from training.search.parquet import read_embeddings

PEOPLE = Path(__file__).parents[2] / "fixtures" / "people"
MODEL = ["--model", str(Settings().model_dir), "--device", "cpu"]


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    application = typer.Typer()
    for command in (embed, search, verify):
        application.command()(command)
    return application


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gallery")
    for person in (1, 2, 3):
        for shot in (1, 2):
            name = Path(f"person-{person:02d}") / f"{shot}.jpg"
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(PEOPLE / name, root / name)
    assert cv2.imwrite(str(root / "wall.png"), np.full((200, 200, 3), 120, np.uint8))
    return root


def test_a_folder_is_embedded_to_parquet(app: typer.Typer, gallery: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    result = CliRunner().invoke(app, ["embed", str(gallery), "--out", str(out), *MODEL])
    assert result.exit_code == 0, result.output
    assert "left out: wall.png: no face was found" in result.output
    table, model = read_embeddings(out)
    assert table.label_names == ("person-01", "person-02", "person-03")
    assert len(table) == 6
    assert model.endswith("on whole photos")
    same = table.labels[:, None] == table.labels
    similarities = table.embeddings @ table.embeddings.T
    assert similarities[same].min() > similarities[~same].max()


def test_another_photo_finds_its_person_first_and_the_index_is_kept(
    app: typer.Typer, gallery: Path, tmp_path: Path
) -> None:
    index, strip = str(tmp_path / "index"), tmp_path / "strip.png"
    query = str(PEOPLE / "person-02" / "3.jpg")
    nowhere = CliRunner().invoke(app, ["search", index, query, *MODEL])
    assert isinstance(nowhere.exception, DataError)
    first = CliRunner().invoke(
        app, ["search", index, query, "--pictures", str(gallery), "--top", "2", *MODEL]
    )
    assert first.exit_code == 0, first.output
    assert "6 embedded, 0 kept" in first.output
    again = CliRunner().invoke(
        app, ["search", index, query, "--top", "3", "--picture", str(strip), *MODEL]
    )
    assert again.exit_code == 0, again.output
    assert "0 embedded, 7 kept" in again.output
    for output, shown in ((first.output, 2), (again.output, 3)):
        found = re.findall(r"(person-\d\d)/[12]\.jpg", output)
        assert len(found) == shown
        assert found[:2] == ["person-02", "person-02"]
    assert strip.is_file()


def test_two_photos_are_told_to_be_one_person_or_two(app: typer.Typer, gallery: Path) -> None:
    one = str(gallery / "person-01" / "1.jpg")
    same = CliRunner().invoke(app, ["verify", one, str(gallery / "person-01" / "2.jpg"), *MODEL])
    assert same.exit_code == 0, same.output
    told = dict(line.split(maxsplit=1) for line in same.output.splitlines())
    assert list(told) == ["similarity", "distance", "probability", "threshold", "verdict"]
    assert told["verdict"] == "same"
    assert told["probability"] in {">99.9 %", "99.9 %"}
    other = CliRunner().invoke(app, ["verify", one, str(gallery / "person-02" / "1.jpg"), *MODEL])
    assert other.exit_code == 1
    assert other.output.splitlines()[-1].split() == ["verdict", "different"]
    wall = CliRunner().invoke(app, ["verify", one, str(gallery / "wall.png"), *MODEL])
    assert isinstance(wall.exception, UnusablePictureError)
    assert "wall.png" in str(wall.exception)


def test_ready_crops_give_the_embedding_of_the_photo_that_they_were_cut_from() -> None:
    photos = FaceEmbedder(Settings().model_dir, torch.device("cpu"))
    ready = FaceEmbedder(Settings().model_dir, torch.device("cpu"), crops=True)
    picture = read_picture(PEOPLE / "person-01" / "1.jpg")
    detector = photos._detector
    assert detector is not None
    marks = detector.detect(picture)[0].landmarks
    expected = photos.embed_pictures([picture])[0]
    for margin, least in ((0.0, 0.9999), (8.0, 0.99)):
        crop = np.ascontiguousarray(align_face(picture, marks, margin=margin).transpose(1, 2, 0))
        assert float(ready.embed_pictures([crop])[0] @ expected) > least
    with pytest.raises(UnusablePictureError, match="a ready crop is 112 or 128 px"):
        ready.embed_pictures([picture])
    assert photos.name != ready.name
    assert photos.sha256 == ready.sha256
