"""``training evaluate`` of a learned network on other data, from folders to report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner, Result

from tests.training.engines.small_runs import made_data
from tests.training.report.pages import assert_asks_no_host
from training.cli.evaluate import evaluate
from training.cli.learn import learn
from training.evaluation.table_results import TableEvaluation
from training.foundation.errors import CheckpointError, DataError
from training.metrics.identification import VerdictRule

RECIPE = """
name = "{name}"
steps = {steps}
evaluate_every = 10

[data]
sources = [{sources}]
divide = "identities"
validation = 0.3
test = 0.3
transform = {{ size = 16 }}

[backbone]
name = "small-cnn"
embedding_dim = 8

[loss]
name = "contrastive"
margin = {margin}

[sampler]
name = "identities"
identities = 4
images = 3

[optimiser]
name = "adam"
learning_rate = 0.01
"""


def write_set(root: Path, identities: int, seed: int, prefix: str) -> Path:
    data = made_data(identities, 6, seed)
    for key, image in zip(data.keys, data.images, strict=True):
        path = root / f"{prefix}-{int(key.split('/')[0]):02d}" / Path(key).name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image.permute(1, 2, 0).numpy())
    return root


def invoke(app: Typer, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--device", "cpu"])


@pytest.fixture(scope="module")
def app() -> Typer:
    application = Typer()
    for command in (learn, evaluate):
        application.command()(command)
    return application


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sets")
    return write_set(root / "kinds", 14, 0, "kind"), write_set(root / "others", 12, 5, "other")


def learned(app: Typer, folder: Path, sources: tuple[Path, ...], margin: float, steps: int) -> str:
    listed = ", ".join(f'{{ kind = "folders", path = "{path}" }}' for path in sources)
    recipe = folder / "made.toml"
    folder.mkdir(exist_ok=True)
    text = RECIPE.format(name="made", steps=steps, sources=listed, margin=margin)
    recipe.write_text(text)
    result = invoke(app, "learn", recipe, "--run", folder / "run", "--no-pictures")
    assert "report:" in result.output, result.output
    return result.output


@pytest.fixture(scope="module")
def run(app: Typer, sets: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    learned(app, folder, sets, 1.0, 30)
    return folder / "run"


def test_figures_of_a_combined_run_are_told_by_source(run: Path) -> None:
    evaluation = TableEvaluation.model_validate_json((run / "judgement.json").read_text())
    assert [one.source for one in evaluation.by_source] == ["kinds", "others"]
    assert sum(one.images for one in evaluation.by_source) == evaluation.test.images
    assert sum(one.queries for one in evaluation.by_source) == evaluation.retrieval.queries
    found = [(one.queries, one.recall_at_1) for one in evaluation.by_source]
    whole = evaluation.retrieval.recall_at[0].recall.value
    mean = sum(queries * recall.value for queries, recall in found if recall is not None)
    assert mean / evaluation.retrieval.queries == pytest.approx(whole)
    page = (run / "report.html").read_text()
    assert "By data set: its queries among the images of all" in page
    assert evaluation.distance_histogram is not None
    assert sum(evaluation.distance_histogram.genuine) == pytest.approx(1)


def test_a_learned_network_is_judged_on_folders_with_some_kept_as_outsiders(
    app: Typer, run: Path, tmp_path: Path
) -> None:
    people = write_set(tmp_path / "people", 10, 9, "person")
    (people / "person-00" / "broken.png").write_bytes(b"nothing")
    report, out = tmp_path / "report", tmp_path / "judgement.json"
    result = invoke(
        app, "evaluate", "--model", run, "--data", people, "--report", report, "--out", out,
        "--fpir", "0.1", "--outsiders", "0.4",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "left out: person-00/broken.png" in result.output
    assert "those that the run's own validation identities chose" in " ".join(result.output.split())
    evaluation = TableEvaluation.model_validate_json(out.read_text())
    assert evaluation == TableEvaluation.model_validate_json(
        (report / "judgement.json").read_text()
    )
    assert evaluation.test.identities == 10
    of_run = TableEvaluation.model_validate_json((run / "judgement.json").read_text())
    assert evaluation.decisions.threshold == of_run.decisions.threshold
    assert evaluation.shared_identities == 0
    opened = evaluation.open_set[-1]
    assert opened.result.gallery_people == 6
    assert isinstance(opened.rule, VerdictRule)
    assert opened.rule.fpir == 0.1
    verdicts = {query.verdict for query in evaluation.known_identities}
    assert verdicts <= {"known", "unknown"}
    assert len(evaluation.known_identities[0].hits) == 5
    pictures = {path.stem for path in (report / "pictures").iterdir()}
    assert {"roc", "similarities", "map", "identities-known", "identities-unknown"} <= pictures
    text = (report / "report.html").read_text()
    assert_asks_no_host(text)
    assert "Top identities of unknown queries" in text


def test_data_that_the_run_learned_from_is_called_so(
    app: Typer, run: Path, sets: tuple[Path, Path]
) -> None:
    """Several sources put their names before those of their identities; the data alone does not."""
    said = invoke(app, "evaluate", "--model", run, "--data", sets[0]).output
    assert "of the 14 identities have names that the run learned from" in " ".join(said.split())


def test_a_collapsed_run_is_called_so_in_log_result_report_and_terminal(
    app: Typer, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    """A margin of a thousandth pulls all together and pushes nobody apart."""
    said = learned(app, tmp_path, sets[:1], 1e-6, 60)
    run = tmp_path / "run"
    assert "collapsed: " in said
    assert json.loads((run / "result.json").read_text())["collapsed"] is True
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert lines[-1] == {"step": 60, "collapsed": 1.0}
    assert [line["cosine"] for line in lines if "cosine" in line][-1] > 0.99
    evaluation = TableEvaluation.model_validate_json((run / "judgement.json").read_text())
    assert evaluation.spread is not None
    assert evaluation.spread.collapsed
    assert "This network has collapsed" in (run / "report.html").read_text()


def test_a_run_that_learned_is_not_called_collapsed(run: Path) -> None:
    assert json.loads((run / "result.json").read_text())["collapsed"] is False
    assert "collapsed" not in (run / "log.jsonl").read_text()


def test_older_runs_without_names_are_evaluated_and_the_lack_is_told(
    app: Typer, run: Path, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(run, older)
    kept = torch.load(older / "held-out.pt", weights_only=True)
    names = ("embeddings", "labels", "validation_embeddings", "validation_labels")
    torch.save({name: kept[name] for name in names}, older / "held-out.pt")
    result = invoke(app, "evaluate", "--model", older / "best.pt", "--data", sets[0])
    assert result.exit_code == 0, result.output
    assert "keeps no names of the identities that it learned from" in " ".join(
        result.output.split()
    )


def test_what_cannot_be_evaluated_is_told_in_one_line(
    app: Typer, run: Path, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    alone = tmp_path / "best.pt"
    shutil.copy(run / "best.pt", alone)
    without = invoke(app, "evaluate", "--model", alone, "--data", sets[0])
    assert isinstance(without.exception, CheckpointError)
    assert "holds no embeddings of a run" in str(without.exception)
    one = write_set(tmp_path / "one", 1, 3, "only")
    few = invoke(app, "evaluate", "--model", run, "--data", one)
    assert isinstance(few.exception, DataError)
    other = invoke(app, "evaluate", "--model", "teachers", "--data", one, "--fpir", "0.1")
    assert isinstance(other.exception, DataError)
    assert "are of a learned network" in str(other.exception)
