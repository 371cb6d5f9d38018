from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from tests.training.evaluation.made_people import NameEmbedder, strangers, write_evaluation_data
from training.data.populations import Pool
from training.evaluation.evaluate import evaluate_embedder
from training.evaluation.evaluation_sheets import evaluation_sheets
from training.evaluation.false_matches import match_pool, match_strangers
from training.evaluation.results import Evaluation
from training.foundation.errors import DataError
from training.foundation.sheets import markdown, print_sheets


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    root = write_evaluation_data(tmp_path_factory.mktemp("data"))
    return evaluate_embedder(NameEmbedder(), root, 0.9)


def test_an_evaluation_counts_people_and_pairs(evaluation: Evaluation) -> None:
    assert (evaluation.lfw.same_pairs, evaluation.lfw.different_pairs) == (30, 30)
    assert [result.gallery_people for result in evaluation.lfw_open_set] == [32, 16]
    assert [result.impostors for result in evaluation.lfw_open_set] == [8, 8]
    assert [result.impostors for result in evaluation.val_open_set] == [500, 500]
    assert [pool.people for pool in evaluation.strangers.pools] == [410]
    assert [pool.people for pool in evaluation.strangers.small_pools] == [90]
    assert evaluation.strangers.overall.pairs == 500 * 499 // 2
    assert {(r.photos_enrolled, r.rule) for r in evaluation.ranking} == {
        (photos, rule) for photos in (2, 3) for rule in ("centroid", "max", "mean")
    }


def test_an_evaluation_survives_json(evaluation: Evaluation) -> None:
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_tables_hold_every_figure(evaluation: Evaluation) -> None:
    sheets = evaluation_sheets(evaluation)
    console = Console(width=200, record=True, quiet=True)
    print_sheets(sheets, console)
    for sheet in sheets:
        assert {len(row) for row in sheet.rows} == {len(sheet.head)}
        assert markdown(sheet).count("\n") == len(sheet.rows) + 1


def test_false_matches_of_a_pool_are_those_of_its_pairs() -> None:
    faces = strangers(40)
    pool = Pool("odd", np.arange(1, 40, 2))
    result = match_pool(faces, pool, 0.2, 0.5)
    rows = pool.rows.tolist()
    pairs = [faces[i] @ faces[j] for i in rows for j in rows if i < j]
    assert result.pairs == len(pairs)
    assert result.fmr_at_lfw_threshold.value == pytest.approx(np.mean(np.array(pairs) >= 0.2))
    assert result.fmr_at_default is not None
    assert result.fmr_at_default.value == pytest.approx(np.mean(np.array(pairs) >= 0.5))


def test_strangers_without_a_large_pool_are_an_error() -> None:
    genuine = (np.ones(1, np.float32), np.zeros(1, np.int64))
    with pytest.raises(DataError, match="400"):
        match_strangers(strangers(9), [], genuine, genuine, 0.2, None)
