"""A picture of one query and of what was found for it."""

from __future__ import annotations

from pathlib import Path

from app.vision.detector import FaceDetector
from training.metrics.hardest import Hit, RankedQuery
from training.report.discretion import blurred
from training.report.strips import PictureOf, draw_queries


def save_answers(
    path: Path, query: RankedQuery, picture_of: PictureOf, blur_with: FaceDetector | None = None
) -> None:
    """Save a picture of the query and its answers.

    With ``blur_with`` faces are blurred, and numbers stand for the names of the answers.
    """
    if blur_with is not None:
        picture_of = blurred(picture_of, blur_with)
        query = query.model_copy(update={"hits": _numbered(query.hits)})
    draw_queries([query], picture_of, path, "Most similar", "")


def _numbered(hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """Return the hits with a number in place of each identity's name, or of a file's."""
    names = list(dict.fromkeys(hit.label or hit.key for hit in hits))
    return tuple(
        hit.model_copy(update={"label": f"no. {names.index(hit.label or hit.key) + 1}"})
        for hit in hits
    )
