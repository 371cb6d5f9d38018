"""One picture against an index, and two pictures against each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.domain.faces import Picture
from training.foundation.arrays import Matrix
from training.foundation.files import file_sha256
from training.metrics.hardest import Hit, RankedQuery
from training.metrics.identification import IdentifiedQuery, identify_among
from training.search.embedder import ImageEmbedder, UnusablePictureError, read_picture
from training.search.index import ForeignIndexError, ImageIndex
from training.search.models import PairLine, own_rule

QUERY_KEY = "the query"


@dataclass(frozen=True)
class Verdict:
    """Whether two pictures are of one identity: ``same`` where the threshold is reached.

    ``probability`` is that of one identity where half of all pairs are, ``None`` where the model
    was not calibrated.
    """

    similarity: float
    threshold: float
    probability: float | None = None

    @property
    def same(self) -> bool:
        """The decision."""
        return self.similarity >= self.threshold

    @property
    def distance(self) -> float:
        """The Euclidean distance of the two unit embeddings, 0 to 2."""
        return math.sqrt(max(0.0, 2.0 - 2.0 * self.similarity))


@dataclass(frozen=True)
class EmbeddedQuery:
    """A picture to look for: unit embedding ``(D,)``, and which pictures of the index it is.

    ``itself`` holds the keys of the pictures with the same bytes: they say nothing of what is like
    it, and are no answers.
    """

    embedding: Matrix
    itself: frozenset[str]


def embed_query(index: ImageIndex, embedder: ImageEmbedder, query: Path) -> EmbeddedQuery:
    """Return a picture as a query of an index.

    Raises ``ForeignIndexError`` where another model made the index, ``UnusablePictureError`` where
    the query cannot be embedded.
    """
    manifest = index.manifest
    if (manifest.model, manifest.model_sha256) != (embedder.name, embedder.sha256):
        raise ForeignIndexError(f"the index was made by {manifest.model}, not by {embedder.name}")
    embedding = _embed_file(embedder, query)
    digest = file_sha256(query)
    same = (key for key, facts in manifest.files.items() if facts.sha256 == digest)
    return EmbeddedQuery(embedding, frozenset(same))


def search_picture(index: ImageIndex, query: EmbeddedQuery, count: int) -> tuple[Hit, ...]:
    """Return the ``count`` pictures of an index most like a query, the most similar first."""
    return index.search(query.embedding, count, query.itself)


def identify_picture(
    index: ImageIndex, query: EmbeddedQuery, model: Path, count: int
) -> IdentifiedQuery | None:
    """Return the most similar identities of an index, with what ``model``'s validation chose.

    The query itself is in no centroid. ``None`` where no other picture of the index has an
    identity.
    """
    table = index.table
    others = np.array([key not in query.itself for key in table.keys], bool)
    table = replace(
        table,
        embeddings=table.embeddings[others],
        labels=table.labels[others],
        keys=tuple(key for key in table.keys if key not in query.itself),
    )
    sizes = np.unique(table.labels[table.labels >= 0], return_counts=True)[1]
    if len(sizes) == 0:
        return None
    rule = own_rule(model, int(np.median(sizes)))
    return identify_among(table, query.embedding, QUERY_KEY, rule, count)


def answered_query(hits: tuple[Hit, ...]) -> RankedQuery:
    """Return a query by a picture of its own with what was found for it."""
    return RankedQuery(key=QUERY_KEY, label=None, known=False, hits=hits)


def pictures_of_query(query: Path, pictures: Path) -> Callable[[str], Picture]:
    """Return what reads the query, or the picture of an answer's key in the folder ``pictures``."""

    def picture_of(key: str) -> Picture:
        return read_picture(query if key == QUERY_KEY else pictures / key)

    return picture_of


def verify_pictures(
    embedder: ImageEmbedder, one: Path, other: Path, threshold: float, line: PairLine | None = None
) -> Verdict:
    """Compare two pictures; raises ``UnusablePictureError`` naming the one it cannot use.

    ``line`` makes a probability of the similarity.
    """
    cosine = float(_embed_file(embedder, one) @ _embed_file(embedder, other))
    similarity = min(1.0, max(-1.0, cosine))
    probability = None if line is None else line.probability(similarity)
    return Verdict(similarity, threshold, probability)


def _embed_file(embedder: ImageEmbedder, path: Path) -> Matrix:
    """Return the unit embedding ``(D,)`` of a file."""
    picture = read_picture(path)
    try:
        embedding: Matrix = embedder.embed_pictures([picture])[0]
    except UnusablePictureError as error:
        raise UnusablePictureError(f"{path} cannot be used: {error}") from error
    return embedding
