"""Evaluate a model by its embeddings: two tables in, every figure out.

Identities of the validation table choose thresholds and calibration, those of the test table are
evaluated. Where they share identities, as classes that were split by image do, the record says so:
such thresholds are easier to get right. Strangers with one image each can be
rows of the test table like any other: they become the outsiders of the open set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from training.evaluation.table_results import (
    Histogram,
    OpenSetEvaluation,
    SourceFigures,
    TableEvaluation,
    TableFacts,
)
from training.foundation.arrays import Similarities
from training.foundation.errors import DataError
from training.metrics.classification import (
    det_curve,
    measure_at_threshold,
    measure_decisions,
    roc_curve,
)
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.hardest import RankedQuery, choose_queries, find_hardest_pairs, rank_queries
from training.metrics.identification import IdentifiedQuery, choose_rule, identify_queries
from training.metrics.intervals import bootstrap_mean, bootstrap_rate
from training.metrics.open_set import OpenSetScores, identify_open_set, open_set_scores
from training.metrics.pairs import same_and_different
from training.metrics.platt import CalibrationError
from training.metrics.reliability import Reliability, measure_reliability
from training.metrics.retrieval import QueryScores, measure_retrieval, score_leave_one_out
from training.metrics.scored_pairs import ScoredPairs, draw_pairs
from training.metrics.separation import measure_spread, separation_of
from training.metrics.table_parts import (
    OUTSIDER_SHARE,
    OpenSetParts,
    known_part,
    part_of,
    split_open_set,
    thinned,
)
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
    fpir: float = TARGET_FPIR,
    outsiders: float = OUTSIDER_SHARE,
) -> TableEvaluation:
    """Return every figure of ``test``, with what ``validation`` chose; the same for one seed.

    ``fpir`` is the share of outsiders that may be taken for somebody, ``outsiders`` the share of
    the test identities that are kept as such. Raises ``DataError`` where a table has no two
    identities, or no identity of two images.
    """
    chosen_on, evaluated = (thinned(table, max_rows, seed) for table in (validation, test))
    fitted_on, pairs = draw_pairs(chosen_on, seed), draw_pairs(evaluated, seed)
    known = known_part(evaluated)
    genuine, owners, different = same_and_different(known.embeddings, known.labels)
    rates = tuple(rate for rate in FAR_RATES if rate * len(different) >= MIN_ERRORS)
    separation = separation_of([(known.embeddings, known.labels)])
    all_pairs = verify_all_pairs(genuine, owners, different, rates)
    opened = _evaluate_open_set(chosen_on, evaluated, seed, fpir, outsiders)
    return TableEvaluation(
        model=model,
        sha256=sha256,
        seed=seed,
        validation=_facts(validation, chosen_on),
        test=_facts(test, evaluated),
        shared_identities=len(_names(validation) & _names(test)),
        decisions=measure_decisions(pairs, best_threshold(fitted_on.similarities, fitted_on.same)),
        pair_histogram=_histogram(genuine, different),
        distance_histogram=_histogram(_distances(genuine), _distances(different)),
        spread=measure_spread(genuine, different),
        all_pairs=all_pairs.model_copy(update={"auc": separation["AUC"], "eer": separation["EER"]}),
        roc=roc_curve(genuine, different),
        retrieval=measure_retrieval(score_leave_one_out(evaluated)),
        calibration=_calibration(fitted_on, pairs),
        open_set=tuple(opened.evaluated),
        hardest=find_hardest_pairs(evaluated, HARDEST),
        known_queries=opened.known,
        unknown_queries=opened.unknown,
        known_identities=opened.known_identities,
        unknown_identities=opened.unknown_identities,
        by_source=measure_by_source(evaluated),
    )


def open_set_of(
    table: EmbeddingTable, photos: int, seed: int, outsider_share: float = OUTSIDER_SHARE
) -> tuple[OpenSetParts, OpenSetScores] | None:
    """Return who is enrolled and how everybody scores; ``None`` where too few have the images."""
    try:
        parts = split_open_set(table, photos, seed, outsider_share)
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


@dataclass
class _Opened:
    """Figures for each number of images enrolled; answers are of the last that could be."""

    evaluated: list[OpenSetEvaluation] = field(default_factory=list)
    known: tuple[RankedQuery, ...] = ()
    unknown: tuple[RankedQuery, ...] = ()
    known_identities: tuple[IdentifiedQuery, ...] = ()
    unknown_identities: tuple[IdentifiedQuery, ...] = ()


def _evaluate_open_set(
    validation: EmbeddingTable, test: EmbeddingTable, seed: int, fpir: float, share: float
) -> _Opened:
    """Return the figures for each number of images enrolled, and answers to single queries."""
    opened = _Opened()
    for photos in PHOTOS_ENROLLED:
        found, chosen_on = (
            open_set_of(test, photos, seed, share),
            open_set_of(validation, photos, seed),
        )
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
        rule = chosen_on and choose_rule(validation, chosen_on[0], fpir)
        opened.evaluated.append(
            OpenSetEvaluation(
                result=result,
                det=det_curve(scores),
                at_threshold=chosen_on and measure_at_threshold(chosen_on[1], scores, fpir),
                histogram=_histogram(scores.own, scores.peaks),
                rule=rule,
            )
        )
        known, unknown = choose_queries(parts, scores, QUERIES, seed)
        opened.known = rank_queries(test, parts, known, TOP)
        opened.unknown = rank_queries(test, parts, unknown, TOP)
        opened.known_identities = identify_queries(test, parts, known, rule, TOP)
        opened.unknown_identities = identify_queries(test, parts, unknown, rule, TOP)
    return opened


def measure_by_source(table: EmbeddingTable) -> tuple[SourceFigures, ...]:
    """Return the figures of each data set of the table; none where there is only one."""
    names = tuple(dict.fromkeys(table.sources))
    if len(names) < 2:
        return ()
    source_of = np.array(table.sources)
    try:
        scores = score_leave_one_out(table)
    except DataError:
        return ()
    return tuple(_figures_of(name, table, source_of, scores) for name in names)


def _figures_of(
    name: str, table: EmbeddingTable, source_of: npt.NDArray[np.str_], scores: QueryScores
) -> SourceFigures:
    own = part_of(table, np.nonzero(source_of == name)[0].astype(np.int64))
    known = known_part(own)
    counts = np.unique(known.labels, return_counts=True)[1]
    asked = source_of[scores.rows] == name
    identities = scores.labels[asked]
    queries = bool(asked.any())
    separation = {}
    if len(counts) > 1 and counts.max() > 1:
        separation = separation_of([(known.embeddings, known.labels)])
    return SourceFigures(
        source=name,
        images=len(own),
        identities=len(counts),
        queries=int(asked.sum()),
        recall_at_1=bootstrap_rate(scores.hits[asked, 0], identities) if queries else None,
        map_at_10=bootstrap_mean(scores.map_at_10[asked], identities) if queries else None,
        map_at_r=bootstrap_mean(scores.map_at_r[asked], identities) if queries else None,
        auc=separation.get("AUC"),
        eer=separation.get("EER"),
    )


def _distances(cosines: Similarities) -> Similarities:
    """Return the Euclidean distances of unit vectors with these cosines."""
    distances: Similarities = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    return distances


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
