"""The report of a face embedder, on made people, from the command and by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import typer
from typer.testing import CliRunner, Result

from tests.training.evaluation.made_people import NameEmbedder, write_evaluation_data
from tests.training.made_data import tiny_recipe
from tests.training.metrics.made_tables import made_table
from tests.training.report.pages import assert_asks_no_host
from training.cli.evaluate import evaluate
from training.data.blurring import watchful_detector
from training.evaluation.embedded_people import EmbeddedPeople, embed_people
from training.evaluation.table_evaluation import evaluate_table
from training.evaluation.table_results import TableEvaluation
from training.foundation.checkpoints import save_checkpoint
from training.foundation.errors import DataError
from training.networks.students import make_student
from training.report.discretion import Shown, discreet
from training.report.people import report_people


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_evaluation_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def people(data: Path) -> EmbeddedPeople:
    return embed_people(NameEmbedder(), data)


@pytest.fixture(scope="module")
def plain(people: EmbeddedPeople, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_people(people, tmp_path_factory.mktemp("plain"))


def judged(report: Path) -> TableEvaluation:
    return TableEvaluation.model_validate_json((report.parent / "judgement.json").read_text())


def test_validation_people_choose_and_strangers_are_the_outsiders(
    people: EmbeddedPeople, plain: Path
) -> None:
    assert_asks_no_host(plain.read_text())
    evaluation = judged(plain)
    lfw, strangers = len(people.lfw.crops), len(people.strangers.crops)
    assert evaluation.test.images == evaluation.test.judged == lfw + strangers
    assert evaluation.test.identities == 40 + strangers
    assert evaluation.validation.images == len(people.val.crops)
    assert evaluation.shared_identities == 0
    assert [one.result.impostors for one in evaluation.open_set] == [
        strangers + 8,
        strangers + 8 * (1 + 2 + 3),
    ]
    assert evaluation.retrieval.recall_at[0].recall.value > 0.9
    pictures = {path.stem for path in (plain.parent / "pictures").iterdir()}
    assert {"hardest", "queries-known", "queries-unknown", "det", "reliability"} <= pictures


def test_fewer_strangers_and_fewer_images_are_drawn_where_there_is_no_room_and_the_report_says_so(
    people: EmbeddedPeople, tmp_path: Path
) -> None:
    report = report_people(people, tmp_path, max_rows=90, seed=3)
    facts, text = judged(report).test, report.read_text()
    assert facts.images == len(people.lfw.crops) + 15  # a sixth, for LFW alone is more than fit
    told = f"Of {len(people.strangers.crops):,} strangers 15 take part, drawn with the seed 3"
    assert told in text
    assert facts.judged <= 90
    assert f"Of the {facts.images:,} images of test {facts.judged:,} are judged" in text


def test_a_blurred_report_has_the_same_figures_and_names_nobody(
    people: EmbeddedPeople, plain: Path, tmp_path: Path
) -> None:
    blurred = report_people(people, tmp_path / "blurred", blur_with=watchful_detector())
    assert "Person_" in (plain.parent / "judgement.json").read_text()
    for name in ("judgement.json", "report.html"):
        text = (blurred.parent / name).read_text()
        assert not re.search(r"Person_|strangers/|val-\d|\.png", text)
    assert "Faces are blurred, and numbers stand for names." in blurred.read_text()
    one, other = judged(plain), judged(blurred)
    assert (one.retrieval, one.decisions, one.open_set) == (
        other.retrieval,
        other.decisions,
        other.open_set,
    )
    for name in ("hardest.png", "queries-known.png", "queries-unknown.png"):
        sizes = [(r.parent / "pictures" / name).stat().st_size for r in (plain, blurred)]
        assert sizes[1] < 0.7 * sizes[0]  # what is blurred has little left to store


def test_numbers_keep_identities_of_both_tables_together_and_lead_to_the_right_picture() -> None:
    validation, test = made_table([3] * 6, seed=1), made_table([3] * 6, seed=2)
    seen: list[str] = []

    def picture_of(key: str) -> npt.NDArray[np.uint8]:
        seen.append(key)
        checks = np.indices((64, 64)).sum(axis=0) // 4 % 2
        return np.asarray(checks[:, :, None].repeat(3, axis=2) * 255, np.uint8)

    hidden = discreet(Shown(validation, test, picture_of), watchful_detector())
    assert evaluate_table(hidden.validation, hidden.test, "made").shared_identities == 6
    for row in (0, 7):
        picture = hidden.picture_of(hidden.test.keys[row])
        assert seen[-1] == test.keys[row]
        assert int(picture.max()) - int(picture.min()) < 120  # the checks are gone
    assert not set(hidden.test.keys) & set(test.keys)


def run(*words: str | Path) -> Result:
    app = typer.Typer()
    app.command()(evaluate)
    return CliRunner().invoke(app, [*map(str, words), "--device", "cpu"])


def test_a_distilled_checkpoint_has_a_report_with_its_log_and_recipe(
    data: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe()
    student = make_student(recipe.student)
    state = {"recipe": recipe.model_dump(mode="json"), "student": student.state_dict()}
    save_checkpoint(tmp_path / "run" / "checkpoint.pt", state)
    lines = [json.dumps({"step": step, "one": 1.0 / (1 + step)}) for step in range(5)]
    (tmp_path / "run" / "log.jsonl").write_text("\n".join(lines) + "\n")
    words: list[str | Path] = ["--model", tmp_path / "run" / "checkpoint.pt", "--data", data]
    quick = run(*words)
    assert quick.exit_code == 0, quick.output
    assert "report:" not in quick.output
    result = run(*words, "--report", tmp_path / "report")
    assert result.exit_code == 0, result.output
    report = tmp_path / "report" / "report.html"
    assert "report: " in result.output
    text = report.read_text()
    assert_asks_no_host(text)
    assert "LFW View 2" in text
    assert "embedding_dim" in text
    assert (tmp_path / "report" / "pictures" / "training.png").is_file()


def test_blurring_without_a_report_is_told(data: Path) -> None:
    result = run("--model", "teachers", "--data", data, "--blur-faces")
    assert isinstance(result.exception, DataError)
    assert "name its folder: --report" in str(result.exception)
