"""Evaluate a model by its embeddings: two tables in, every figure out.

Identities of the validation table choose thresholds and calibration, those of the test table are
judged. Where they share identities, as classes that were split by image do, the record says so:
such thresholds are easier to get right. Strangers of whom there is one image each can be
rows of the test table like any other: they become the outsiders of the open set.
"""

from __future__ import annotations

import numpy as np

from training.evaluation.table_results import (
    Histogram,
    OpenSetEvaluation,
    TableEvaluation,
    TableFacts,
)
from training.foundation.arrays import Similarities
from training.metrics.classification import (
    det_curve,
    measure_at_threshold,
    measure_decisions,
    roc_curve,
)
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.hardest import RankedQuery, choose_queries, find_hardest_pairs, rank_queries
from training.metrics.open_set import OpenSetScores, identify_open_set, open_set_scores
from training.metrics.pairs import same_and_different
from training.metrics.platt import CalibrationError
from training.metrics.reliability import Reliability, measure_reliability
from training.metrics.retrieval import measure_retrieval, score_leave_one_out
from training.metrics.scored_pairs import ScoredPairs, draw_pairs
from training.metrics.table_parts import OpenSetParts, known_part, split_open_set, thinned
from training.metrics.verification import best_threshold, verify_all_pairs

SEED = 20261122
MAX_ROWS = 12_000  # all pairs of them: 72 million, 288 MB
PHOTOS_ENROLLED = (1, 3)
FAR_RATES = (1e-1, 1e-2, 1e-3, 1e-4)
FPIR_RATES = (1e-1, 1e-2)
TARGET_FPIR = 1e-2
MIN_ERRORS = 10  # a rate that is fewer impostors is not reported
HISTOGRAM_BINS = 60
HARDEST = 8
QUERIES = 8
TOP = 5


def evaluate_table(
    validation: EmbeddingTable,
    test: EmbeddingTable,
    model: str,
    sha256: str | None = None,
    seed: int = SEED,
    max_rows: int = MAX_ROWS,
) -> TableEvaluation:
    """Return every figure of ``test``, with what ``validation`` chose; the same for one seed.

    Raises ``DataError`` where a table has no two identities, or no identity of two images.
    """
    chosen_on, evaluated = (thinned(table, max_rows, seed) for table in (validation, test))
    fitted_on, pairs = draw_pairs(chosen_on, seed), draw_pairs(evaluated, seed)
    known = known_part(evaluated)
    genuine, owners, different = same_and_different(known.embeddings, known.labels)
    rates = tuple(rate for rate in FAR_RATES if rate * len(different) >= MIN_ERRORS)
    open_set, known_queries, unknown_queries = _evaluate_open_set(chosen_on, evaluated, seed)
    return TableEvaluation(
        model=model,
        sha256=sha256,
        seed=seed,
        validation=_facts(validation, chosen_on),
        test=_facts(test, evaluated),
        shared_identities=len(_names(validation) & _names(test)),
        decisions=measure_decisions(pairs, best_threshold(fitted_on.similarities, fitted_on.same)),
        pair_histogram=_histogram(pairs.genuine, pairs.impostor),
        all_pairs=verify_all_pairs(genuine, owners, different, rates),
        roc=roc_curve(genuine, different),
        retrieval=measure_retrieval(score_leave_one_out(evaluated)),
        calibration=_calibration(fitted_on, pairs),
        open_set=open_set,
        hardest=find_hardest_pairs(evaluated, HARDEST),
        known_queries=known_queries,
        unknown_queries=unknown_queries,
    )


def open_set_of(
    table: EmbeddingTable, photos: int, seed: int
) -> tuple[OpenSetParts, OpenSetScores] | None:
    """Return who is enrolled and how everybody scores; ``None`` where too few have the images."""
    try:
        parts = split_open_set(table, photos, seed)
    except ValueError:
        return None
    outside = parts.outsiders
    scores = open_set_scores(
        table.embeddings,
        parts.enrollment,
        table.embeddings[outside],
        strangers=table.labels[outside],
    )
    return parts, scores


def _evaluate_open_set(
    validation: EmbeddingTable, test: EmbeddingTable, seed: int
) -> tuple[tuple[OpenSetEvaluation, ...], tuple[RankedQuery, ...], tuple[RankedQuery, ...]]:
    """Return the figures for each number of images enrolled, and answers to single queries."""
    evaluated: list[OpenSetEvaluation] = []
    known: tuple[RankedQuery, ...] = ()
    unknown: tuple[RankedQuery, ...] = ()
    for photos in PHOTOS_ENROLLED:
        found, chosen_on = open_set_of(test, photos, seed), open_set_of(validation, photos, seed)
        if found is None:
            continue
        parts, scores = found
        rates = tuple(rate for rate in FPIR_RATES if rate * len(scores.peaks) >= 1)
        result = identify_open_set(
            test.embeddings,
            parts.enrollment,
            test.embeddings[parts.outsiders],
            rates,
            strangers=scores.strangers,
        )
        evaluated.append(
            OpenSetEvaluation(
                result=result,
                det=det_curve(scores),
                at_threshold=chosen_on and measure_at_threshold(chosen_on[1], scores, TARGET_FPIR),
                histogram=_histogram(scores.own, scores.peaks),
            )
        )
        rows_known, rows_unknown = choose_queries(parts, scores, QUERIES, seed)
        known = rank_queries(test, parts, rows_known, TOP)
        unknown = rank_queries(test, parts, rows_unknown, TOP)
    return tuple(evaluated), known, unknown


def _calibration(fitted_on: ScoredPairs, pairs: ScoredPairs) -> Reliability | None:
    try:
        return measure_reliability(fitted_on, pairs)
    except CalibrationError:
        return None


def _histogram(genuine: Similarities, other: Similarities) -> Histogram:
    together = np.concatenate([genuine, other])
    low, high = float(together.min()), float(together.max())
    edges = np.linspace(low, max(high, low + 1e-6), HISTOGRAM_BINS + 1)
    shares = [
        tuple((np.histogram(values, edges)[0] / len(values)).tolist())
        for values in (genuine, other)
    ]
    return Histogram(edges=tuple(edges.tolist()), genuine=shares[0], other=shares[1])


def _facts(table: EmbeddingTable, evaluated: EmbeddingTable) -> TableFacts:
    counts = np.unique(table.labels[table.labels >= 0], return_counts=True)[1]
    return TableFacts(
        images=len(table),
        judged=len(evaluated),
        identities=len(counts),
        with_one_image=int((counts == 1).sum()),
        unlabelled=int((table.labels < 0).sum()),
    )


def _names(table: EmbeddingTable) -> set[str]:
    return {table.label_names[n] for n in np.unique(table.labels[table.labels >= 0])}
