"""A run's report: the evaluation as JSON, its pictures, and one HTML file that holds them all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from training.evaluation.table_evaluation import MAX_ROWS
from training.evaluation.table_results import TABLE_EVALUATION, TableEvaluation
from training.foundation.errors import DataError
from training.foundation.files import write_text
from training.foundation.sheets import Sheet
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.identification import VerdictRule
from training.metrics.table_parts import OUTSIDER_SHARE, thinned
from training.report.canvas import Drawn
from training.report.clouds import draw_histograms, draw_map
from training.report.curves import (
    LogLine,
    draw_det,
    draw_reliability,
    draw_roc,
    draw_training_curves,
)
from training.report.html import ReportPage, render_page
from training.report.sheets import key_figures, table_evaluation_notes, table_evaluation_sheets
from training.report.strips import PictureOf, draw_hardest, draw_identities, draw_queries

QUERY_CAPTION = (
    "The nearest enrolled images with their cosine similarity, the nearest first. The upper half "
    "is drawn by chance, the lower half are the worst. "
)


def write_report(
    folder: Path,
    evaluation: TableEvaluation,
    test: EmbeddingTable,
    *,
    picture_of: PictureOf | None = None,
    log: Sequence[LogLine] = (),
    recipe: str | None = None,
    environment: Mapping[str, str] | None = None,
    title: str = "How similar is similar",
    sheets: Sequence[Sheet] = (),
    notes: Sequence[str] = (),
    outsiders: float = OUTSIDER_SHARE,
) -> Path:
    """Write ``judgement.json``, ``pictures/`` and ``report.html``; return the last one's path.

    ``test`` is the table that was evaluated. Without ``picture_of`` no image is shown, so that the
    report can leave the house. ``log`` holds the lines of a run's ``log.jsonl``; ``sheets`` are
    shown after those of the evaluation, ``notes`` before them. ``outsiders`` is the share of
    identities that the evaluation kept out of the gallery.
    """
    write_text(folder / TABLE_EVALUATION, evaluation.model_dump_json(indent=1) + "\n")
    evaluated = thinned(test, MAX_ROWS, evaluation.seed)
    pictures = [
        drawn
        for drawn in _figures(folder / "pictures", evaluation, evaluated, log, outsiders)
        if drawn is not None
    ]
    if picture_of is not None:
        pictures += _image_pictures(folder / "pictures", evaluation, picture_of)
    page = ReportPage(
        title=title,
        model=evaluation.model,
        sha256=evaluation.sha256,
        key_figures=key_figures(evaluation),
        notes=[*notes, *table_evaluation_notes(evaluation)],
        sheets=[*table_evaluation_sheets(evaluation), *sheets],
        pictures=pictures,
        environment=environment or {},
        recipe=recipe,
    )
    report = folder / "report.html"
    write_text(report, render_page(page))
    return report


def read_log(path: Path) -> list[LogLine]:
    """Return the lines of a ``log.jsonl``; raises ``DataError`` for a line that is no JSON object.

    A last line that a running training has not finished is left out.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    found: list[LogLine] = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            read: object = json.loads(line)
        except ValueError as error:
            raise DataError(f"line {number} of {path} is not JSON: {error}") from error
        if not isinstance(read, dict):
            raise DataError(f"line {number} of {path} is not a JSON object")
        found.append(cast(LogLine, read))
    return found


def _figures(
    folder: Path,
    evaluation: TableEvaluation,
    test: EmbeddingTable,
    log: Sequence[LogLine],
    outsiders: float,
) -> Iterator[Drawn | None]:
    """Yield the pictures that show no image; ``None`` for one that there is nothing for."""
    yield draw_training_curves(log, folder / "training.png")
    yield draw_histograms(evaluation, folder / "similarities.png")
    yield draw_roc(evaluation, folder / "roc.png")
    yield draw_det(evaluation, folder / "det.png")
    if evaluation.calibration is not None:
        yield draw_reliability(evaluation.calibration, folder / "reliability.png")
    yield draw_map(test, evaluation.seed, folder / "map.png", outsiders)


def _image_pictures(
    folder: Path, evaluation: TableEvaluation, picture_of: PictureOf
) -> list[Drawn]:
    pictures = [draw_hardest(evaluation.hardest, picture_of, folder / "hardest.png")]
    for queries, name, title, says in (
        (
            evaluation.known_queries,
            "known",
            "Top five for known queries",
            "Framed blue and called same: the query's own identity.",
        ),
        (
            evaluation.unknown_queries,
            "unknown",
            "Top five for unknown queries",
            "Nobody here is the right answer: what counts is how low the similarities are.",
        ),
    ):
        if queries:
            path = folder / f"queries-{name}.png"
            pictures.append(draw_queries(queries, picture_of, path, title, QUERY_CAPTION + says))
    for identified, name in (
        (evaluation.known_identities, "known"),
        (evaluation.unknown_identities, "unknown"),
    ):
        if identified:
            path = folder / f"identities-{name}.png"
            title = f"Top five identities for {name} queries"
            caption = _identity_caption(evaluation.open_set[-1].rule)
            pictures.append(draw_identities(identified, picture_of, path, title, caption))
    return pictures


def _identity_caption(rule: VerdictRule | None) -> str:
    """Return what the picture shows, and by which rule a query is known or not."""
    shown = (
        "Each identity by its enrolled image nearest to the query; similarity to the centroid of "
        "its images, and probability. "
    )
    if rule is None:
        return shown + "Validation has too few identities to choose a threshold: no verdict."
    return (
        f"{shown}A query is known at {rule.threshold:.4f} or above, where {rule.fpir:.1%} of "
        f"validation's {rule.outsiders:,} outsider images passed in a gallery of "
        f"{rule.gallery_people:,}; with more people more strangers pass. Half of all queries are "
        "taken to be of nobody here. A query is framed blue where the verdict is right and, of a "
        "known one, its own identity is first; orange otherwise."
    )
