"""One picture against an index, and two pictures against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from training.evaluation.hardest import Hit, RankedQuery
from training.foundation.arrays import Matrix
from training.report.discretion import blurred
from training.report.strips import draw_queries
from training.search.embedder import ImageEmbedder, UnusablePictureError, read_picture
from training.search.index import ForeignIndexError, ImageIndex

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


def save_strip(
    path: Path,
    query: Path,
    pictures: Path,
    hits: tuple[Hit, ...],
    blur_with: FaceDetector | None = None,
) -> None:
    """Save a picture of the query and what was found in the folder ``pictures``.

    With ``blur_with`` faces are blurred, and numbers stand for the names of the answers.
    """

    def picture_of(key: str) -> Picture:
        return read_picture(query if key == QUERY_KEY else pictures / key)

    shown = picture_of if blur_with is None else blurred(picture_of, blur_with)
    named = hits if blur_with is None else _numbered(hits)
    asked = RankedQuery(key=QUERY_KEY, label=None, known=False, hits=named)
    draw_queries([asked], shown, path, "Most similar", "")


def verify_pictures(embedder: ImageEmbedder, one: Path, other: Path, threshold: float) -> Verdict:
    """Compare two pictures; raises ``UnusablePictureError`` naming the one it cannot use."""
    similarity = float(_embed_file(embedder, one) @ _embed_file(embedder, other))
    return Verdict(similarity, threshold)


def _numbered(hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """Return the hits with a number in place of each identity's name, or of a file's."""
    names = list(dict.fromkeys(hit.label or hit.key for hit in hits))
    return tuple(
        hit.model_copy(update={"label": f"no. {names.index(hit.label or hit.key) + 1}"})
        for hit in hits
    )


def _embed_file(embedder: ImageEmbedder, path: Path) -> Matrix:
    """Return the unit embedding ``(D,)`` of a file."""
    picture = read_picture(path)
    try:
        embedding: Matrix = embedder.embed_pictures([picture])[0]
    except UnusablePictureError as error:
        raise UnusablePictureError(f"{path} cannot be used: {error}") from error
    return embedding
