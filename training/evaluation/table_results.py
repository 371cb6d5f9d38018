"""Everything that is found out about one model's embeddings, as one record."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.classification import Curve, Decisions, KnownOrUnknown
from training.metrics.estimates import Estimate
from training.metrics.hardest import HardestPairs, RankedQuery
from training.metrics.identification import IdentifiedQuery, VerdictRule
from training.metrics.reliability import Reliability
from training.metrics.results import AllPairs, OpenSet
from training.metrics.retrieval import Retrieval
from training.metrics.separation import Spread

#: The file of an evaluation, beside the weights that were evaluated.
TABLE_EVALUATION = "judgement.json"


class TableFacts(Record):
    """What was evaluated: ``judged`` of ``images``; above a limit, fewer of each identity."""

    images: int
    judged: int
    identities: int
    with_one_image: int
    unlabelled: int


class Histogram(Record):
    """Two kinds of similarities, or distances, in the same bins: the share of each in every bin."""

    edges: tuple[float, ...]
    genuine: tuple[float, ...]
    other: tuple[float, ...]


class OpenSetEvaluation(Record):
    """Identification with so many images enrolled; ``at_threshold`` where validation set one.

    ``histogram``: similarity of probes to their own identity's centroid, and of outsiders to the
    nearest centroid. ``rule`` is what validation identities chose, where they could.
    """

    result: OpenSet
    det: Curve
    at_threshold: KnownOrUnknown | None
    histogram: Histogram
    rule: VerdictRule | None = None


class SourceFigures(Record):
    """The images of one data set among those of several that were evaluated together.

    Its queries search the images of all; pairs are of two images of its own, ``None`` where it has
    no pair of either kind.
    """

    source: str
    images: int
    identities: int
    queries: int
    recall_at_1: Estimate | None
    map_at_10: Estimate | None
    map_at_r: Estimate | None
    auc: Estimate | None
    eer: Estimate | None


class TableEvaluation(Record):
    """All figures of one model on one test table, thresholds chosen on a validation table.

    ``shared_identities`` are in both tables; 0 where identities were kept apart.
    ``calibration`` is missing where similarity did not tell the validation pairs apart at all,
    ``open_set`` is empty where no identity has images enough. ``known_queries`` and
    ``unknown_queries`` are half drawn by chance, half the worst; ``known_identities`` and
    ``unknown_identities`` are the same queries, answered by identities. ``all_pairs``, ``roc``,
    ``spread`` and both histograms are of every pair of known identities; ``decisions`` and
    ``calibration`` of drawn pairs, half of one identity. ``by_source`` is of tables of several
    data sets. Fields with a default are younger than evaluations that may be read again.
    """

    model: str
    sha256: str | None
    seed: int
    validation: TableFacts
    test: TableFacts
    shared_identities: int
    decisions: Decisions
    pair_histogram: Histogram
    all_pairs: AllPairs
    roc: Curve
    retrieval: Retrieval
    calibration: Reliability | None
    open_set: tuple[OpenSetEvaluation, ...]
    hardest: HardestPairs
    known_queries: tuple[RankedQuery, ...]
    unknown_queries: tuple[RankedQuery, ...]
    distance_histogram: Histogram | None = None
    spread: Spread | None = None
    known_identities: tuple[IdentifiedQuery, ...] = ()
    unknown_identities: tuple[IdentifiedQuery, ...] = ()
    by_source: tuple[SourceFigures, ...] = ()
