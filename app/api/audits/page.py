"""An audit as one HTML page that needs nothing else: tables, charts, advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.api.audits.charts import rate_chart, similarity_chart
from app.api.audits.figures import ratio_text, similarity_text, thresholds_text
from app.domain.audit.advice import rate_text
from app.domain.audit.result import AuditResult, OutlierPhoto, PersonPair

TEMPLATE = "page.html.j2"
PAIR_HEADS = (
    "one id",
    "the other",
    "centroids",
    "nearest photo",
    "likelihood ratio",
    "all photos",
    "own photos",
    "told apart",
)


@dataclass(frozen=True)
class Table:
    """A titled table; ``rows`` are the worst of ``count``."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    count: int

    @property
    def left_out(self) -> int:
        """How many rows are not shown."""
        return self.count - len(self.rows)


def audit_page(result: AuditResult, model_version: str, finished_at: datetime) -> str:
    """Return the page; the template escapes every text that is put into it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["px"] = _pixels
    return environment.get_template(TEMPLATE).render(
        summary=f"{result.people_count:,} people, {result.photo_count:,} photos, model "
        f"{model_version}, {finished_at:%Y-%m-%d %H:%M} UTC. "
        f"{thresholds_text(result.thresholds)}. "
        "There are no pictures of faces here: none are stored.",
        advice=result.advice,
        rates=_rates(result),
        rate_marks=rate_chart(result.rates),
        similarity_marks=similarity_chart(result.histogram, result.thresholds),
        findings=[*_pair_tables(result), *_photo_tables(result)],
    )


def _pixels(position: float) -> str:
    return f"{position:.1f}"


def _rates(result: AuditResult) -> Table:
    rows = [
        (
            rate.name,
            rate.meaning,
            f"{rate.threshold:.4f}",
            "no trial" if rate.measured is None else rate_text(rate.measured),
        )
        for rate in result.rates
    ]
    heads = ("rate", "what it means", "threshold", "measured")
    return Table("Error rates by these photos", heads, rows, len(rows))


def _pair_tables(result: AuditResult) -> list[Table]:
    return [
        Table(title, PAIR_HEADS, [_pair_cells(pair) for pair in pairs], count)
        for title, pairs, count in (
            (
                "Ids that may be one person",
                result.possible_duplicates,
                result.possible_duplicate_count,
            ),
            (
                "People who can be taken for one another",
                result.confusable_pairs,
                result.confusable_count,
            ),
            (
                "The nearest pairs, whatever they are",
                result.nearest_pairs,
                len(result.nearest_pairs),
            ),
        )
    ]


def _photo_tables(result: AuditResult) -> list[Table]:
    return [
        Table(
            "Photos that do not look like their person",
            ("id", "photo", "to own", "to the likeliest other", "finding"),
            [_outlier_cells(one) for one in result.outliers],
            result.outlier_count,
        ),
        Table(
            "Photos that match any unrecognisable face",
            ("id", "photo", "recognisability"),
            [
                (one.employee_id, one.photo_id, f"{one.recognisability:.3f}")
                for one in result.unrecognisable_photos
            ],
            result.unrecognisable_count,
        ),
        Table(
            "Weak enrollments",
            ("id", "photos", "why"),
            [
                (one.employee_id, str(one.photo_count), ", ".join(one.weaknesses))
                for one in result.weak_enrollments
            ],
            result.weak_count,
        ),
    ]


def _pair_cells(pair: PersonPair) -> tuple[str, ...]:
    return (
        pair.first_employee_id,
        pair.second_employee_id,
        f"{pair.centroid_similarity:.3f}",
        f"{pair.photo_similarity:.3f}",
        ratio_text(pair.log_likelihood_ratio),
        f"{pair.mean_similarity:.3f}",
        f"{pair.own_mean_similarity:.3f}",
        "yes" if pair.told_apart else "",
    )


def _outlier_cells(photo: OutlierPhoto) -> tuple[str, ...]:
    finding = photo.finding.value.replace("_", " ")
    if photo.other_employee_id is not None:
        finding += f": {photo.other_employee_id}"
    if photo.only_two_photos:
        finding += " (of two photos, either may be the wrong one)"
    return (
        photo.employee_id,
        photo.photo_id,
        f"{photo.own_similarity:.3f}",
        similarity_text(photo.other_similarity),
        finding,
    )
