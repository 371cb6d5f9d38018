"""One picture against an index, and two pictures against each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.faces import Picture
from training.foundation.arrays import Matrix
from training.metrics.hardest import Hit, RankedQuery
from training.metrics.identification import IdentifiedQuery, identify_among
from training.search.embedder import ImageEmbedder, UnusablePictureError, read_picture
from training.search.index import ForeignIndexError, ImageIndex
from training.search.models import own_rule

QUERY_KEY = "the query"


@dataclass(frozen=True)
class Verdict:
    """Whether two pictures are of one identity: ``same`` where the threshold is reached."""

    similarity: float
    threshold: float

    @property
    def same(self) -> bool:
        """The decision."""
        return self.similarity >= self.threshold


def search_picture(
    index: ImageIndex, embedder: ImageEmbedder, query: Path, count: int
) -> tuple[Hit, ...]:
    """Return the ``count`` most similar pictures of an index, the most similar first.

    Raises ``ForeignIndexError`` where another model made the index, ``UnusablePictureError`` where
    the query cannot be embedded.
    """
    manifest = index.manifest
    if (manifest.model, manifest.model_sha256) != (embedder.name, embedder.sha256):
        raise ForeignIndexError(f"the index was made by {manifest.model}, not by {embedder.name}")
    return index.search(_embed_file(embedder, query), count)


def identify_picture(
    index: ImageIndex, embedder: ImageEmbedder, query: Path, model: Path, count: int
) -> IdentifiedQuery | None:
    """Return the most similar identities of an index, with what ``model``'s validation chose.

    ``None`` where no picture of the index has an identity. Raises what ``search_picture`` raises.
    """
    table = index.table
    sizes = np.unique(table.labels[table.labels >= 0], return_counts=True)[1]
    if len(sizes) == 0:
        return None
    rule = own_rule(model, int(np.median(sizes)))
    return identify_among(table, _embed_file(embedder, query), QUERY_KEY, rule, count)


def answered_query(hits: tuple[Hit, ...]) -> RankedQuery:
    """Return a query by a picture of its own with what was found for it."""
    return RankedQuery(key=QUERY_KEY, label=None, known=False, hits=hits)


def pictures_of_query(query: Path, pictures: Path) -> Callable[[str], Picture]:
    """Return what reads the query, or the picture of an answer's key in the folder ``pictures``."""

    def picture_of(key: str) -> Picture:
        return read_picture(query if key == QUERY_KEY else pictures / key)

    return picture_of


def verify_pictures(embedder: ImageEmbedder, one: Path, other: Path, threshold: float) -> Verdict:
    """Compare two pictures; raises ``UnusablePictureError`` naming the one it cannot use."""
    similarity = float(_embed_file(embedder, one) @ _embed_file(embedder, other))
    return Verdict(similarity, threshold)


def _embed_file(embedder: ImageEmbedder, path: Path) -> Matrix:
    """Return the unit embedding ``(D,)`` of a file."""
    picture = read_picture(path)
    try:
        embedding: Matrix = embedder.embed_pictures([picture])[0]
    except UnusablePictureError as error:
        raise UnusablePictureError(f"{path} cannot be used: {error}") from error
    return embedding
