"""The whole judgement of a table, and the single images that it points at."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.metrics.made_tables import made_table
from training.evaluation.table_evaluation import evaluate_table, open_set_of
from training.evaluation.table_results import TableEvaluation
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.hardest import choose_queries, find_hardest_pairs, rank_queries
from training.metrics.scored_pairs import draw_pairs
from training.metrics.table_parts import label_name
from training.metrics.verification import best_threshold


@pytest.fixture(scope="module")
def evaluation() -> TableEvaluation:
    validation = made_table([5] * 30, noise=0.7, seed=1, name="v")
    test = made_table([5] * 30 + [1] * 10, noise=0.7, seed=2, name="t", unknown=6)
    return evaluate_table(validation, test, "made", "0" * 64)


def test_a_judgement_survives_its_way_through_json(evaluation: TableEvaluation) -> None:
    assert TableEvaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_the_threshold_comes_from_validation_alone(evaluation: TableEvaluation) -> None:
    pairs = draw_pairs(made_table([5] * 30, noise=0.7, seed=1, name="v"), evaluation.seed)
    assert evaluation.decisions.threshold == best_threshold(pairs.similarities, pairs.same)


def test_the_facts_say_what_was_judged(evaluation: TableEvaluation) -> None:
    facts = evaluation.test
    assert (facts.images, facts.judged, facts.identities) == (166, 166, 40)
    assert (facts.with_one_image, facts.unlabelled) == (10, 6)
    assert evaluation.shared_identities == 0
    assert [one.result.photos_enrolled for one in evaluation.open_set] == [1, 3]
    assert evaluation.open_set[0].result.impostors == 10 + 2 * 5  # 30 % of 40, most with one image


def test_rarer_false_accepts_than_the_pairs_can_show_are_not_reported(
    evaluation: TableEvaluation,
) -> None:
    pairs = evaluation.all_pairs.different_pairs
    assert [point.far for point in evaluation.all_pairs.tar_at_far] == [0.1, 0.01, 0.001]
    assert 0.0001 * pairs < 10 <= 0.001 * pairs


def test_classes_split_by_image_are_judged_and_the_record_says_so() -> None:
    again = evaluate_table(made_table([6] * 10, seed=1), made_table([6] * 10, seed=2), "made")
    assert again.shared_identities == 10


def test_without_a_calibration_the_rest_is_judged_all_the_same() -> None:
    table = made_table([2] * 12, seed=5)
    place = np.argsort(np.argsort(table.labels, kind="stable")) % 2  # 0 or 1 within an identity
    sign = (1 - 2 * place).astype(np.float32)[:, None]
    direction = np.eye(16, dtype=np.float32)[table.labels]
    opposite = EmbeddingTable(sign * direction, table.labels, table.keys, table.label_names)
    turned = evaluate_table(opposite, made_table([2] * 12, seed=6), "turned")
    assert turned.calibration is None
    assert turned.retrieval.recall_at[0].recall.value > 0.5
    assert [one.result.photos_enrolled for one in turned.open_set] == [1]


def test_the_hardest_pairs_are_those_of_a_slow_search() -> None:
    table = made_table([3, 4, 5, 1], noise=0.9, unknown=3)
    every = [
        (float(table.embeddings[a] @ table.embeddings[b]), table.keys[a], table.keys[b],
         bool(table.labels[a] == table.labels[b]))
        for a in range(len(table))
        for b in range(a + 1, len(table))
        if table.labels[a] >= 0 and table.labels[b] >= 0
    ]  # fmt: skip
    found = find_hardest_pairs(table, 4)
    genuine = sorted(pair for pair in every if pair[3])[:4]
    impostor = sorted((pair for pair in every if not pair[3]), reverse=True)[:4]
    assert [pair.keys for pair in found.genuine] == [(a, b) for _, a, b, _ in genuine]
    assert [pair.keys for pair in found.impostor] == [(a, b) for _, a, b, _ in impostor]
    for pair in (*found.genuine, *found.impostor):
        one, other = (table.embeddings[table.keys.index(key)] for key in pair.keys)
        assert pair.distance == pytest.approx(np.linalg.norm(one - other), abs=1e-3)
        assert (pair.labels[0] == pair.labels[1]) == (pair in found.genuine)


def test_queries_are_answered_from_the_enrolled_images_nearest_first() -> None:
    table = made_table([4] * 12, noise=0.8)
    found = open_set_of(table, 2, seed=0)
    assert found is not None
    parts, scores = found
    known, unknown = choose_queries(parts, scores, 6, seed=0)
    assert len(set(known.tolist())) == len(set(unknown.tolist())) == 6
    assert parts.enrollment.probes[scores.own.argmin()] in known
    assert parts.outsiders[scores.peaks.argmax()] in unknown
    enrolled = {table.keys[row] for row in parts.enrollment.enrolled.ravel()}
    for rows, is_known in ((known, True), (unknown, False)):
        for row, query in zip(rows, rank_queries(table, parts, rows, 5), strict=True):
            assert (query.key, query.known) == (table.keys[row], is_known)
            assert query.label == label_name(table, int(row))
            assert {hit.key for hit in query.hits} <= enrolled
            values = sorted(
                (
                    float(table.embeddings[row] @ table.embeddings[other])
                    for other in parts.enrollment.enrolled.ravel()
                ),
                reverse=True,
            )
            assert [hit.similarity for hit in query.hits] == pytest.approx(values[:5], abs=1e-6)
