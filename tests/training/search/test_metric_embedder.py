"""The three commands with a network learned on pictures that show no face."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from app.settings import Settings
from tests.training.engines.small_runs import CPU, made_data
from tests.training.made_data import write_teacher
from training.cli.learn import learn
from training.cli.search import embed, search, verify
from training.data.decoding import as_rgb
from training.evaluation.table_results import TableEvaluation
from training.foundation.errors import CheckpointError, DataError
from training.search.embedder import UnusablePictureError
from training.search.index import ForeignIndexError, open_index
from training.search.metric_embedder import MetricEmbedder
from training.search.parquet import read_embeddings
from training.search.query import embed_query

RECIPE = """
name = "made"
steps = {steps}
evaluate_every = 10
ema_decay = 0.5

[data]
sources = [{{ kind = "folders", path = "{folder}" }}]
divide = "identities"
validation = 0.3
test = 0.3
transform = {{ size = 16 }}

[backbone]
name = "small-cnn"
embedding_dim = 8

[sampler]
name = "identities"
identities = 4
images = 3
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen identities of six noisy pictures each, none of them a face."""
    root = tmp_path_factory.mktemp("set") / "pictures"
    data = made_data(identities=16, each=6)
    for key, image in zip(data.keys, data.images, strict=True):
        path = root / f"kind-{int(key.split('/')[0]):02d}" / Path(key).name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image.permute(1, 2, 0).numpy())
    return root


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    application = typer.Typer()
    for command in (learn, embed, search, verify):
        application.command()(command)
    return application


def invoke(app: typer.Typer, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--device", "cpu"])


def learned(app: typer.Typer, root: Path, pictures: Path, steps: int) -> Path:
    """Return the folder of a finished run with its report."""
    recipe = root / "made.toml"
    recipe.write_text(RECIPE.format(steps=steps, folder=pictures))
    folder = root / "run"
    result = invoke(app, "learn", recipe, "--run", folder, "--no-pictures")
    assert "report:" in result.output, result.output
    return folder


@pytest.fixture(scope="module")
def run(app: typer.Typer, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(app, tmp_path_factory.mktemp("learned"), pictures, 40)


@pytest.fixture
def gallery(pictures: Path, tmp_path: Path) -> Path:
    """A copy of a few of the pictures, and a file that is none."""
    for kind in (0, 1, 2):
        for path in sorted((pictures / f"kind-{kind:02d}").iterdir())[:4]:
            (tmp_path / "gallery" / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / "gallery" / path.parent.name / path.name)
    (tmp_path / "gallery" / "broken.png").write_bytes(b"nothing")
    return tmp_path / "gallery"


def test_a_folder_without_faces_is_embedded_by_what_was_learned_on_such(
    app: typer.Typer, run: Path, gallery: Path, tmp_path: Path
) -> None:
    out = tmp_path / "kinds.parquet"
    result = invoke(app, "embed", gallery, "--out", out, "--model", run)
    assert result.exit_code == 0, result.output
    assert "left out: broken.png: this is no picture" in result.output
    table, model = read_embeddings(out)
    assert (len(table), table.embeddings.shape[1]) == (12, 8)
    assert model == MetricEmbedder(run / "best.pt", CPU).name
    same = table.labels[:, None] == table.labels
    similarities = table.embeddings @ table.embeddings.T
    assert similarities[same].min() > similarities[~same].max()


def test_a_search_lists_identities_with_probability_and_verdict(
    app: typer.Typer, run: Path, gallery: Path, pictures: Path, tmp_path: Path
) -> None:
    """A list of images leaves the question open: who is it, or is it nobody."""
    known = sorted((pictures / "kind-01").iterdir())[5]
    said = invoke(
        app, "search", tmp_path / "index", known, "--pictures", gallery, "--model", run
    ).output  # fmt: skip
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines()]
    identities = [row for row in rows if len(row) == 4 and row[1].startswith("kind-")]
    labels = [row[1] for row in identities if "/" not in row[1]]
    assert sorted(labels) == ["kind-00", "kind-01", "kind-02"]
    assert labels[0] == "kind-01"
    assert all(row[3].endswith("%") for row in identities if "/" not in row[1])
    assert "at the risk of 1.0% that validation chose" in " ".join(said.split())
    moved = tmp_path / "moved"
    shutil.copytree(run, moved)
    (moved / "judgement.json").unlink()
    said = invoke(app, "search", tmp_path / "index", known, "--model", moved).output
    assert "no probability" in said
    assert "verdict" not in said


def test_a_search_finds_the_identity_and_embeds_only_what_is_new(
    app: typer.Typer, run: Path, gallery: Path, pictures: Path, tmp_path: Path
) -> None:
    index, query = tmp_path / "index", sorted((pictures / "kind-01").iterdir())[5]
    model = ("--model", run / "best.pt")
    first = invoke(app, "search", index, query, "--pictures", gallery, "--top", "4", *model)
    assert first.exit_code == 0, first.output
    assert "12 embedded, 0 kept" in first.output
    assert re.findall(r"(kind-\d\d)/", first.output) == ["kind-01"] * 4
    shutil.copy(query, gallery / "kind-01" / "new.png")
    strip = tmp_path / "strip.png"
    again = invoke(app, "search", index, query, "--top", "1", "--picture", strip)
    assert again.exit_code == 0, again.output
    assert "1 embedded, 13 kept" in again.output
    assert "the query itself, no answer: kind-01/new.png" in again.output
    assert re.findall(r"(kind-\d\d)/\w+", again.output.split("no answer:")[1])[1:] == ["kind-01"]
    blurred = tmp_path / "blurred.png"
    invoke(app, "search", index, query, "--top", "1", "--picture", blurred, "--blur-faces", *model)
    unseen = invoke(app, "search", index, query, "--blur-faces", *model)
    assert isinstance(unseen.exception, DataError)
    assert blurred.stat().st_size < strip.stat().st_size  # what is blurred has little to store


def test_an_index_by_another_network_of_the_same_recipe_is_refused(
    app: typer.Typer, run: Path, gallery: Path, pictures: Path, tmp_path: Path
) -> None:
    query = gallery / "kind-00" / sorted((gallery / "kind-00").iterdir())[0].name
    invoke(app, "search", tmp_path / "index", query, "--pictures", gallery, "--model", run)
    other = MetricEmbedder(learned(app, tmp_path, pictures, 10) / "best.pt", CPU)
    with pytest.raises(ForeignIndexError, match="made by made"):
        embed_query(open_index(tmp_path / "index"), other, query)
    again = ("search", tmp_path / "index", query)
    for model in (tmp_path / "run", Settings().model_dir):
        refused = invoke(app, *again, "--model", model)
        assert isinstance(refused.exception, ForeignIndexError)
        assert "--rebuild" in str(refused.exception)
    assert "0 embedded, 13 kept" in invoke(app, *again).output  # its own network is not named
    rebuilt = invoke(app, *again, "--model", tmp_path / "run", "--rebuild")
    assert "index made anew: asked for" in rebuilt.output
    (tmp_path / "run").rename(tmp_path / "gone")
    lost = invoke(app, *again)
    assert isinstance(lost.exception, ForeignIndexError)
    assert "no longer at" in str(lost.exception)


def test_two_pictures_are_judged_at_the_threshold_that_validation_chose(
    app: typer.Typer, run: Path, gallery: Path
) -> None:
    evaluation = TableEvaluation.model_validate_json((run / "judgement.json").read_text())
    threshold = evaluation.decisions.threshold
    one, two = sorted((gallery / "kind-00").iterdir())[:2]
    other = sorted((gallery / "kind-01").iterdir())[0]
    same = invoke(app, "verify", one, two, "--model", run)
    assert same.exit_code == 0, same.output
    told = dict(line.split(maxsplit=1) for line in same.output.splitlines())
    assert list(told) == ["similarity", "distance", "probability", "threshold", "verdict"]
    assert (told["threshold"], told["verdict"]) == (f"{threshold:.4f}", "same")
    assert float(told["distance"]) == pytest.approx(
        math.sqrt(2 - 2 * float(told["similarity"])), abs=0.02
    )
    assert told["probability"].endswith("%")
    different = invoke(app, "verify", one, other, "--model", run)
    assert different.exit_code == 1
    assert different.output.splitlines()[-1].split() == ["verdict", "different"]


@pytest.mark.parametrize("how", ["gone", "broken", "of another network", "of no weights"])
def test_without_a_judgement_of_these_weights_the_threshold_must_be_given(
    app: typer.Typer, run: Path, gallery: Path, tmp_path: Path, how: str
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(run, moved)
    evaluation = moved / "judgement.json"
    if how == "gone":
        evaluation.unlink()
    elif how == "broken":
        evaluation.write_text("{}")
    else:
        whose = f'"{"0" * 64}"' if how == "of another network" else "null"
        digest = f'"{MetricEmbedder(run / "best.pt", CPU).sha256}"'
        evaluation.write_text(evaluation.read_text().replace(digest, whose))
    one = sorted((gallery / "kind-00").iterdir())[0]
    refused = invoke(app, "verify", one, one, "--model", moved)
    assert isinstance(refused.exception, CheckpointError)
    assert "give --threshold" in str(refused.exception)
    given = invoke(app, "verify", one, one, "--model", moved, "--threshold", "0.9")
    assert given.exit_code == 0, given.output


def test_a_file_or_folder_of_another_kind_is_refused_in_one_line(
    app: typer.Typer, run: Path, gallery: Path, tmp_path: Path
) -> None:
    student, odd, text = tmp_path / "student.pt", tmp_path / "odd.pt", tmp_path / "text.pt"
    torch.save({"student": {}, "recipe": {}}, student)
    state = torch.load(run / "best.pt", weights_only=True)
    state["recipe"]["backbone"]["embedding_dim"] = 9
    torch.save(state, odd)
    text.write_text("nothing")
    module = write_teacher(tmp_path / "module.pt", 1, 3)
    for model, said in (
        (student, "made by another kind of run: its recipe is no MetricRecipe"),
        (text, "no network that training learn made.*cannot be read"),
        (odd, "weights of another network: 2 of another shape"),
        (module, "is an exported module and no checkpoint"),
        (gallery, r"neither the manifest.json of an exported model nor a learned best\.pt"),
        (tmp_path / "none.pt", "does not exist"),
    ):
        result = invoke(app, "embed", gallery, "--out", tmp_path / "out.parquet", "--model", model)
        assert isinstance(result.exception, CheckpointError), model
        assert re.search(said, str(result.exception)), result.exception
        assert "\n" not in str(result.exception)
    crops = invoke(
        app, "embed", gallery, "--out", tmp_path / "out.parquet", "--model", run, "--crops"
    )
    assert isinstance(crops.exception, DataError)


def test_weights_that_are_no_numbers_are_refused(run: Path, tmp_path: Path) -> None:
    state = torch.load(run / "best.pt", weights_only=True)
    name = next(n for n, value in state["network"].items() if value.is_floating_point())
    state["network"][name].fill_(float("nan"))
    torch.save(state, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match="holds NaN or infinity"):
        MetricEmbedder(tmp_path / "best.pt", CPU)


def test_a_whole_checkpoint_gives_the_averaged_network_that_was_judged(
    run: Path, gallery: Path
) -> None:
    grey = np.linspace(0, 255, 40 * 30).reshape(40, 30).astype(np.uint8)
    picture = as_rgb(grey)
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    embedder = MetricEmbedder(run / "checkpoint.pt", CPU)
    state["network"], state["average"] = state["average"], None
    torch.save(state, gallery / "best.pt")
    averaged = MetricEmbedder(gallery / "best.pt", CPU)
    np.testing.assert_array_equal(
        embedder.embed_pictures([picture]), averaged.embed_pictures([picture])
    )


def test_a_recipe_that_aligns_faces_says_where_there_is_none(run: Path, tmp_path: Path) -> None:
    state = torch.load(run / "best.pt", weights_only=True)
    state["recipe"]["data"]["transform"]["fit"] = "align"
    torch.save(state, tmp_path / "best.pt")
    embedder = MetricEmbedder(tmp_path / "best.pt", CPU)
    with pytest.raises(UnusablePictureError, match="no face was found"):
        embedder.embed_pictures([np.full((60, 60, 3), 120, np.uint8)])
    with pytest.raises(ValueError, match="no picture"):
        embedder.embed_pictures([])
