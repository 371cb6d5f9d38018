"""Pictures and the report that holds them; what they look like is for eyes, not for tests."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt
import pytest
from matplotlib._pylab_helpers import Gcf

from tests.training.metrics.made_tables import made_table
from tests.training.report.pages import assert_asks_no_host
from training.evaluation.table_evaluation import evaluate_table
from training.evaluation.table_results import TableEvaluation
from training.foundation.errors import DataError
from training.metrics.embedding_table import EmbeddingTable
from training.report.canvas import shortened
from training.report.clouds import draw_map
from training.report.curves import LogLine, draw_training_curves
from training.report.sheets import key_figures, table_evaluation_sheets
from training.report.strips import draw_queries, square_tile
from training.report.write import read_log, write_report

LOG: list[LogLine] = [{"step": step, "loss": 1.0 / (1 + step)} for step in range(300)]
HOSTILE = "<script>alert('x')</script>"


def picture_of(key: str) -> npt.NDArray[np.uint8]:
    random = np.random.default_rng(list(key.encode()))
    return random.integers(0, 255, (20, 30, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def test_table() -> EmbeddingTable:
    return made_table([5] * 12, noise=0.7, seed=2, name="t")


@pytest.fixture(scope="module")
def evaluation(test_table: EmbeddingTable) -> TableEvaluation:
    return evaluate_table(made_table([5] * 12, noise=0.7, seed=1, name="v"), test_table, HOSTILE)


@pytest.fixture(scope="module")
def report(
    evaluation: TableEvaluation,
    test_table: EmbeddingTable,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    return write_report(
        tmp_path_factory.mktemp("report"),
        evaluation,
        test_table,
        picture_of=picture_of,
        log=LOG,
        recipe=f"name = '{HOSTILE}'",
        environment={"torch": HOSTILE},
        title=HOSTILE,
    )


def test_the_report_asks_no_host_and_runs_nothing(report: Path) -> None:
    assert_asks_no_host(report.read_text())


def test_what_a_run_is_called_cannot_become_markup(report: Path) -> None:
    text = report.read_text()
    assert HOSTILE not in text
    assert text.count("&lt;script&gt;") == 5  # title twice, model, environment, recipe


def test_every_picture_is_in_the_report_and_beside_it(report: Path) -> None:
    files = sorted(path.stem for path in (report.parent / "pictures").iterdir())
    assert files == [
        "det", "hardest", "identities-known", "identities-unknown", "map", "queries-known",
        "queries-unknown", "reliability", "roc", "similarities", "training",
    ]  # fmt: skip
    inlined = re.findall(r"base64,([A-Za-z0-9+/=]+)", report.read_text())
    assert len(inlined) == len(files)
    for data in inlined:
        pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        assert pixels.min() < 100 < pixels.max() == 255


def test_every_table_is_in_the_report(report: Path, evaluation: TableEvaluation) -> None:
    text = report.read_text()
    for name, value in key_figures(evaluation):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in text
    for sheet in table_evaluation_sheets(evaluation):
        assert all(len(row) == len(sheet.head) for row in sheet.rows)
        for row in sheet.rows:
            cells = "".join(f"<td>{html.escape(cell, quote=False)}</td>" for cell in row)
            assert f"<tr>{cells}</tr>" in text.replace("&#39;", "'")


def test_the_judgement_lies_beside_the_report(report: Path, evaluation: TableEvaluation) -> None:
    read = TableEvaluation.model_validate_json((report.parent / "judgement.json").read_text())
    assert read == evaluation


def test_without_pictures_of_images_the_report_shows_none(
    evaluation: TableEvaluation, test_table: EmbeddingTable, tmp_path: Path
) -> None:
    report = write_report(tmp_path, evaluation.model_copy(update={"calibration": None}), test_table)
    files = {path.stem for path in (tmp_path / "pictures").iterdir()}
    assert files == {"det", "map", "roc", "similarities"}
    assert 'id="recipe"' not in report.read_text()


def test_drawing_leaves_no_global_state_of_matplotlib(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    assert draw_training_curves(LOG, tmp_path / "a.png") is not None
    assert dict(matplotlib.rcParams) == before
    assert not Gcf.figs  # what pyplot would keep until somebody closes it


def test_a_log_without_numbers_draws_nothing(tmp_path: Path) -> None:
    assert draw_training_curves([], tmp_path / "a.png") is None
    assert draw_training_curves([{"step": 1, "note": "x"}], tmp_path / "a.png") is None
    assert not list(tmp_path.iterdir())


def test_a_log_is_read_up_to_the_line_that_is_being_written(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1}\n{"step": 2}\n{"ste')
    assert read_log(log) == [{"step": 1}, {"step": 2}]
    log.write_text('{"step": 1}\nnonsense\n{"step": 2}\n')
    with pytest.raises(DataError, match="line 2"):
        read_log(log)
    log.write_text(json.dumps([1]) + "\n")
    with pytest.raises(DataError, match="not a JSON object"):
        read_log(log)


def test_no_map_is_drawn_of_a_table_without_outsiders(tmp_path: Path) -> None:
    assert draw_map(made_table([1, 1, 1]), 0, tmp_path / "map.png") is None


def test_a_tile_shows_the_whole_picture_whatever_its_shape() -> None:
    wide = np.full((10, 40, 3), 200, np.uint8)
    tile = square_tile(wide)
    assert tile.shape == (128, 128, 3)
    assert int((tile == 200).all(axis=2).sum()) == 32 * 128
    assert square_tile(np.full((500, 2), 7, np.uint8)).shape == (128, 128, 3)


def test_long_names_keep_their_two_ends() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a-very-long-name-01", 9) == "a-ve…e-01"


def test_no_query_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no query"):
        draw_queries([], picture_of, tmp_path / "q.png", "t", "c")
