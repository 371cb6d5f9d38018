"""Who is it, or is it nobody: the nearest identities with probabilities, and a verdict.

A rule is chosen on validation identities: a threshold for a stated share of outsiders taken for
somebody (FPIR), and a line from similarity to likelihood ratio. It is applied to others.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.domain.calibration import gallery_posterior
from app.domain.embeddings import mean_directions
from training.foundation.arrays import FloatArray, IntArray, Matrix
from training.foundation.records import Record
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.open_set import centroids
from training.metrics.platt import CalibrationError, fit_platt
from training.metrics.retrieval import most_similar
from training.metrics.table_parts import OpenSetParts, label_name
from training.metrics.verification import threshold_at_far

#: The share of queries that are of nobody enrolled, before a picture is seen; the service's own.
PRIOR_UNKNOWN = 0.5
#: Nothing in so many trials says at 95 % confidence that a rate is below three in as many.
RULE_OF_THREE = 3.0


class VerdictRule(Record):
    """What validation identities chose for centroids of ``photos_enrolled`` images.

    At or above ``threshold`` a query is known; a share ``fpir`` of the outsiders was. The log of
    the likelihood ratio is ``slope`` s + ``intercept``; both are ``None`` where similarity told
    nothing. ``outsiders`` of the choice showed ``outsider_identities``, and none of them was in the
    gallery of ``gallery_people``.
    """

    photos_enrolled: int
    fpir: float
    threshold: float
    slope: float | None
    intercept: float | None
    gallery_people: int
    outsiders: int
    outsider_identities: int

    @property
    def supported_fpir(self) -> float:
        """The lowest risk that so many outsiders can speak for, by the rule of three."""
        return min(1.0, RULE_OF_THREE / self.outsider_identities)


class IdentityHit(Record):
    """One identity that a query may show; ``key`` is its enrolled image nearest to the query.

    ``similarity`` is to the centroid of its images, ``probability`` the posterior among everybody
    enrolled and nobody.
    """

    label: str
    key: str
    similarity: float
    probability: float | None


class IdentifiedQuery(Record):
    """A query, the nearest identities, the probability that it is nobody, and the verdict.

    ``known``: its identity is enrolled. ``fpir`` is the risk that the verdict was chosen for.
    Without a rule none of the three is told.
    """

    key: str
    label: str | None
    known: bool
    hits: tuple[IdentityHit, ...]
    nobody: float | None
    verdict: Literal["known", "unknown"] | None
    fpir: float | None = None


def choose_rule(table: EmbeddingTable, parts: OpenSetParts, fpir: float) -> VerdictRule:
    """Return the rule that the identities of ``table`` choose, ``parts`` of them enrolled."""
    enrollment = parts.enrollment
    centres = centroids(table.embeddings, enrollment.enrolled)
    of_probes = table.embeddings[enrollment.probes] @ centres.T
    of_outsiders = table.embeddings[parts.outsiders] @ centres.T
    own = np.zeros(of_probes.shape, bool)
    own[np.arange(len(own)), enrollment.owners] = True
    slope: float | None
    intercept: float | None
    try:
        others = np.concatenate([of_probes[~own], of_outsiders.ravel()])
        slope, intercept = fit_platt(of_probes[own], others)
    except CalibrationError:
        slope = intercept = None
    return VerdictRule(
        photos_enrolled=enrollment.enrolled.shape[1],
        fpir=fpir,
        threshold=threshold_at_far(of_outsiders.max(axis=1), fpir),
        slope=slope,
        intercept=intercept,
        gallery_people=len(enrollment.enrolled),
        outsiders=len(parts.outsiders),
        outsider_identities=len(np.unique(table.labels[parts.outsiders])),
    )


def identify_queries(
    table: EmbeddingTable, parts: OpenSetParts, rows: IntArray, rule: VerdictRule | None, count: int
) -> tuple[IdentifiedQuery, ...]:
    """Return the ``count`` nearest enrolled identities of each query row, and the verdict."""
    enrolled = parts.enrollment.enrolled
    similarities = table.embeddings[rows] @ centroids(table.embeddings, enrolled).T
    nearest = most_similar(similarities, count)
    return tuple(
        _identified(table, enrolled, int(row), similarities[place], nearest[place], rule)
        for place, row in enumerate(rows)
    )


def identify_among(
    table: EmbeddingTable, embedding: Matrix, key: str, rule: VerdictRule | None, count: int
) -> IdentifiedQuery:
    """Return the ``count`` identities of a whole table nearest to one embedding ``(D,)``.

    All images of an identity make its centroid. Raises ``ValueError`` where none has a name.
    """
    numbers = np.unique(table.labels[table.labels >= 0])
    if len(numbers) == 0:
        raise ValueError("no image of the table has an identity")
    images = [np.nonzero(table.labels == number)[0] for number in numbers]
    centres = np.stack([mean_directions(table.embeddings[rows]) for rows in images])
    similarities: Matrix = centres @ embedding
    told = None if rule is None else posterior(similarities, rule)
    (nearest,) = most_similar(similarities[None], count)

    def hit(place: int) -> IdentityHit:
        rows = images[place]
        best = int(rows[int((table.embeddings[rows] @ embedding).argmax())])
        return IdentityHit(
            label=str(label_name(table, best)),
            key=table.keys[best],
            similarity=float(similarities[place]),
            probability=None if told is None else float(told[0][place]),
        )

    return IdentifiedQuery(
        key=key,
        label=None,
        known=False,
        hits=tuple(hit(int(place)) for place in nearest),
        nobody=None if told is None else told[1],
        verdict=None if rule is None else verdict_of(float(similarities.max()), rule),
        fpir=None if rule is None else rule.fpir,
    )


def verdict_of(similarity: float, rule: VerdictRule) -> Literal["known", "unknown"]:
    """Return whether the nearest identity is near enough for the rule's risk."""
    return "known" if similarity >= rule.threshold else "unknown"


def posterior(similarities: Matrix, rule: VerdictRule) -> tuple[FloatArray, float] | None:
    """Return the probability of each identity ``(K,)`` and of nobody; ``None`` without a line."""
    if rule.slope is None or rule.intercept is None:
        return None
    ratios = rule.slope * similarities.astype(np.float64) + rule.intercept
    return gallery_posterior(ratios, PRIOR_UNKNOWN)


def _identified(
    table: EmbeddingTable,
    enrolled: IntArray,
    row: int,
    similarities: Matrix,
    nearest: IntArray,
    rule: VerdictRule | None,
) -> IdentifiedQuery:
    told = None if rule is None else posterior(similarities, rule)
    own = table.labels[row]

    def hit(place: int) -> IdentityHit:
        images = enrolled[place]
        best = images[int((table.embeddings[images] @ table.embeddings[row]).argmax())]
        return IdentityHit(
            label=str(label_name(table, int(best))),
            key=table.keys[best],
            similarity=float(similarities[place]),
            probability=None if told is None else float(told[0][place]),
        )

    return IdentifiedQuery(
        key=table.keys[row],
        label=label_name(table, row),
        known=bool(own >= 0 and np.isin(own, table.labels[enrolled[:, 0]])),
        hits=tuple(hit(int(place)) for place in nearest),
        nobody=None if told is None else told[1],
        verdict=None if rule is None else verdict_of(float(similarities[nearest[0]]), rule),
        fpir=None if rule is None else rule.fpir,
    )
