"""An index of a folder: made, brought up to date, refused where it is not what it should be."""

from __future__ import annotations

import math
import os
from pathlib import Path

import faiss
import numpy as np
import pytest

from app.settings import Settings
from tests.training.search.made_pictures import (
    ColourEmbedder,
    write_black,
    write_picture,
)
from training.foundation.errors import DataError
from training.foundation.files import file_sha256
from training.report.answers import save_answers
from training.search.embedder import UnusablePictureError
from training.search.files import find_pictures
from training.search.index import (
    INDEX,
    MANIFEST,
    TABLE,
    DamagedIndexError,
    ForeignIndexError,
    MadeWith,
    open_index,
)
from training.search.models import PairLine
from training.search.query import (
    answered_query,
    embed_query,
    identify_picture,
    pictures_of_query,
    search_picture,
    verify_pictures,
)
from training.search.update import IndexUpdate, embed_folder, update_index

COUNT = 40


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of 40 pictures of 10 identities, and one that nothing can be made of."""
    for number in range(COUNT):
        write_picture(tmp_path / "pictures" / f"p{number % 10}" / f"{number:02d}.png", number)
    write_black(tmp_path / "pictures" / "black.png")
    return tmp_path / "pictures"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def update(folder: Path, pictures: Path, *, rebuild: bool = False) -> tuple[IndexUpdate, int]:
    embedder = ColourEmbedder()
    return update_index(folder, pictures, embedder, rebuild=rebuild), embedder.embedded


def test_a_saved_index_finds_what_an_exhaustive_search_finds(folder: Path, pictures: Path) -> None:
    update(folder, pictures)
    index = open_index(folder)
    assert len(index.table) == COUNT
    for row in range(0, COUNT, 7):
        hits = index.search(index.table.embeddings[row], 5)
        similarities = index.table.embeddings @ index.table.embeddings[row]
        order = np.argsort(-similarities)[:5]
        assert [hit.key for hit in hits] == [index.table.keys[place] for place in order]
        assert [hit.similarity for hit in hits] == pytest.approx(
            similarities[order].tolist(), abs=1e-6
        )
        assert hits[0].label == index.table.keys[row].split("/")[0]


def test_nothing_is_embedded_again_where_nothing_changed(folder: Path, pictures: Path) -> None:
    first, embedded = update(folder, pictures)
    assert (first.embedded, first.kept, embedded) == (COUNT, 0, COUNT)
    written = (folder / MANIFEST).stat().st_mtime_ns
    second, embedded = update(folder, pictures)
    assert (second.embedded, second.kept, second.removed, embedded) == (0, COUNT + 1, 0, 0)
    assert second.skipped == {"black.png": "all is black"}
    assert (folder / MANIFEST).stat().st_mtime_ns == written


def test_only_new_and_changed_pictures_are_embedded_and_removed_ones_dropped(
    folder: Path, pictures: Path
) -> None:
    update(folder, pictures)
    write_picture(pictures / "p0" / "new.png", 900)
    write_picture(pictures / "p1" / "01.png", 901)
    (pictures / "p2" / "02.png").unlink()
    os.utime(pictures / "p3" / "03.png", (1, 1))  # copied again: the same content
    found, embedded = update(folder, pictures)
    assert (found.embedded, found.removed, embedded) == (2, 1, 2)
    fresh, _ = embed_folder(pictures, ColourEmbedder())
    reopened = open_index(folder).table
    assert reopened.keys == fresh.keys
    np.testing.assert_array_equal(reopened.embeddings, fresh.embeddings)


def test_a_picture_that_was_mended_is_embedded(folder: Path, pictures: Path) -> None:
    update(folder, pictures)
    write_picture(pictures / "black.png", 77)
    found, _ = update(folder, pictures)
    assert (found.embedded, found.skipped) == (1, {})
    row = found.index.table.keys.index("black.png")
    assert found.index.table.labels[row] == -1
    hits = found.index.search(found.index.table.embeddings[row], 1)
    assert (hits[0].key, hits[0].label) == ("black.png", None)


def test_an_index_refuses_another_model_and_is_replaced_only_when_asked(
    folder: Path, pictures: Path
) -> None:
    update(folder, pictures)
    kept = (folder / MANIFEST).read_bytes()
    for other in (ColourEmbedder("other"), ColourEmbedder("colours", "1" * 64)):
        with pytest.raises(ForeignIndexError, match=r"made by colours, not by .*--rebuild"):
            update_index(folder, pictures, other)
        assert other.embedded == 0
        assert (folder / MANIFEST).read_bytes() == kept
    other = ColourEmbedder("other")
    assert update_index(folder, pictures, other, rebuild=True).rebuilt == "asked for"
    assert other.embedded == COUNT
    assert open_index(folder).manifest.model == "other"


def test_the_place_of_its_model_is_kept_and_brought_up_to_date(
    folder: Path, pictures: Path
) -> None:
    for place in (MadeWith(model="here"), MadeWith(model="there"), None):
        update_index(folder, pictures, ColourEmbedder(), made_with=place)
        wanted = place or MadeWith(model="there")
        assert open_index(folder).manifest.made_with == wanted


@pytest.mark.parametrize(
    ("shape", "identities"),
    [
        (("left/ada.png", "right/ada.jpg", "left/bo.png", "right/bo.png"), {"ada", "bo"}),
        (("train/ada/1.png", "test/ada/2.png", "test/bo/1.png"), {"ada", "bo"}),
        (("latin/a/1.png", "latin/b/1.png", "greek/a/1.png"), {"latin/a", "latin/b", "greek/a"}),
    ],
    ids=["pairs by file name", "splits", "nested"],
)
def test_the_shape_of_a_folder_says_what_names_an_identity(
    folder: Path, tmp_path: Path, shape: tuple[str, ...], identities: set[str]
) -> None:
    for seed, key in enumerate(shape):
        write_picture(tmp_path / "shaped" / key, seed)
    found, _ = update(folder, tmp_path / "shaped")
    assert set(found.index.table.label_names) == identities


def test_a_search_with_another_model_than_the_index_is_refused(
    folder: Path, pictures: Path
) -> None:
    found, _ = update(folder, pictures)
    query = pictures / "p1" / "01.png"
    with pytest.raises(ForeignIndexError, match="made by colours, not by other"):
        embed_query(found.index, ColourEmbedder("other"), query)


def test_a_query_is_not_its_own_answer(folder: Path, pictures: Path, tmp_path: Path) -> None:
    """Neither where it lies in the folder, nor as a copy from elsewhere, nor in a centroid."""
    copy = tmp_path / "copy.png"
    copy.write_bytes((pictures / "p1" / "01.png").read_bytes())
    found, _ = update(folder, pictures)
    for query in (pictures / "p1" / "01.png", copy):
        embedded = embed_query(found.index, ColourEmbedder(), query)
        assert embedded.itself == {"p1/01.png"}
        keys = [hit.key for hit in search_picture(found.index, embedded, COUNT)]
        assert len(keys) == COUNT - 1
        assert "p1/01.png" not in keys
    for other in (pictures / "p1").glob("*.png"):
        if other.name != "01.png":
            other.unlink()
    alone, _ = update(folder, pictures)
    embedded = embed_query(alone.index, ColourEmbedder(), copy)
    answer = identify_picture(alone.index, embedded, Settings().model_dir, COUNT)
    assert answer is not None
    assert "p1" not in {hit.label for hit in answer.hits}


def test_more_answers_than_pictures_are_not_padded(folder: Path, pictures: Path) -> None:
    found, _ = update(folder, pictures)
    assert len(found.index.search(found.index.table.embeddings[0], 1000)) == COUNT


def test_a_query_that_is_no_embedding_of_this_index_is_refused(
    folder: Path, pictures: Path
) -> None:
    found, _ = update(folder, pictures)
    for wrong in (np.ones(3, np.float32), np.full(48, np.nan, np.float32)):
        with pytest.raises(ValueError, match="48 finite numbers"):
            found.index.search(wrong, 1)


@pytest.mark.parametrize("name", [INDEX, TABLE, MANIFEST])
@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_index_is_refused_and_can_be_made_again(
    folder: Path, pictures: Path, name: str, how: str
) -> None:
    update(folder, pictures)
    if how == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:-20])
    with pytest.raises(DamagedIndexError, match=name):
        update(folder, pictures)
    found, _ = update(folder, pictures, rebuild=True)
    assert found.rebuilt == "asked for"
    assert len(open_index(folder).table) == COUNT


def test_an_index_of_another_kind_is_refused(folder: Path, pictures: Path) -> None:
    found, _ = update(folder, pictures)
    other = faiss.IndexFlatL2(48)
    other.add(found.index.table.embeddings)
    faiss.write_index(other, str(folder / INDEX))
    manifest = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(
        manifest.replace(found.index.manifest.index_sha256, file_sha256(folder / INDEX))
    )
    with pytest.raises(DamagedIndexError, match="not a flat inner-product index"):
        open_index(folder)


def test_a_folder_that_holds_anything_else_is_left_alone(folder: Path, pictures: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    for rebuild in (False, True):
        with pytest.raises(ForeignIndexError, match=r"thesis\.txt"):
            update(folder, pictures, rebuild=rebuild)
    assert (folder / "thesis.txt").read_text() == "mine"
    with pytest.raises(ForeignIndexError, match="is a file"):
        update(folder / "thesis.txt", pictures)


def test_an_index_of_another_folder_is_refused(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    update(folder, pictures)
    write_picture(tmp_path / "others" / "a.png", 1)
    with pytest.raises(ForeignIndexError, match="is the index of"):
        update(folder, tmp_path / "others")


def test_a_folder_without_usable_pictures_is_an_error(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    with pytest.raises(DataError, match="not a folder"):
        update(folder, empty)
    empty.mkdir()
    with pytest.raises(DataError, match="holds no picture"):
        update(folder, empty)
    write_black(empty / "a.png")
    (empty / "b.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"none of the pictures .* can be embedded"):
        update(folder, empty)
    assert not folder.exists()


def test_hidden_files_and_other_files_are_no_pictures(pictures: Path) -> None:
    write_picture(pictures / ".trash" / "a.png", 1)
    (pictures / "notes.txt").write_text("x")
    assert len(find_pictures(pictures)) == COUNT + 1


def test_two_pictures_are_the_same_at_or_above_the_threshold(pictures: Path) -> None:
    one, other = pictures / "p1" / "01.png", pictures / "p2" / "02.png"
    embedder = ColourEmbedder()
    itself = verify_pictures(embedder, one, one, 0.99)
    assert itself.same
    assert itself.similarity == pytest.approx(1, abs=1e-6)
    assert not verify_pictures(embedder, one, other, 0.99).same
    assert itself.distance == pytest.approx(0, abs=1e-3)
    assert itself.probability is None
    similarity = verify_pictures(embedder, one, other, 0.99).similarity
    told = verify_pictures(embedder, one, other, 0.99, PairLine(4.0, -2.0))
    assert told.probability == pytest.approx(1 / (1 + math.exp(2 - 4 * similarity)))
    assert told.distance == pytest.approx(math.sqrt(2 - 2 * similarity))
    assert verify_pictures(embedder, one, other, similarity).same
    for missing in (pictures / "black.png", pictures / "none.png"):
        with pytest.raises(UnusablePictureError, match=missing.name):
            verify_pictures(embedder, one, missing, 0.5)


def test_a_strip_shows_the_query_and_its_answers(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    found, _ = update(folder, pictures)
    query = write_picture(tmp_path / "query.png", 5)
    hits = search_picture(found.index, embed_query(found.index, ColourEmbedder(), query), 3)
    shown = pictures_of_query(query, pictures)
    save_answers(tmp_path / "strip.png", answered_query(hits), shown)
    assert (tmp_path / "strip.png").read_bytes().startswith(b"\x89PNG")
