"""An audit as one HTML page that needs nothing else: tables, charts, advice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from app.api.audit_charts import rate_chart, similarity_chart
from app.domain.audit.advice import percent, rate_text
from app.domain.audit.result import AuditResult, AuditThresholds, OutlierPhoto, PersonPair

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: #666; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #ddd; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #333; }
.own { color: #1b7f5c; } .others { color: #b3402e; }
"""
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


def audit_page(result: AuditResult, model_version: str, finished_at: datetime) -> str:
    """Return the page; every text from the registry in it is escaped."""
    sections = [
        "<h1>Audit of the enrolled gallery</h1>",
        f"<p>{result.people_count:,} people, {result.photo_count:,} photos, model "
        f"{escape(model_version)}, {finished_at:%Y-%m-%d %H:%M} UTC. "
        f"{thresholds_text(result.thresholds)}. "
        "There are no pictures of faces here: none are stored.</p>",
        "<h2>Advice</h2>",
        f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in result.advice)}</ul>",
        "<h2>Error rates by these photos</h2>",
        _rates(result),
        rate_chart(result.rates),
        "<h2>Similarities</h2>",
        '<p><span class="own">Green: a photo and its person\'s other photos.</span> '
        '<span class="others">Red: a photo and everybody else.</span> '
        "Each is drawn against its own highest bin.</p>",
        similarity_chart(result.histogram, result.thresholds),
        *_pair_sections(result),
        "<h2>Photos that do not look like their person</h2>",
        _table(
            ("id", "photo", "to own", "to the likeliest other", "finding"),
            (_outlier_cells(one) for one in result.outliers),
            result.outlier_count,
        ),
        "<h2>Photos that match whoever is unrecognisable</h2>",
        _table(
            ("id", "photo", "recognisability"),
            (
                (one.employee_id, one.photo_id, f"{one.recognisability:.3f}")
                for one in result.unrecognisable_photos
            ),
            result.unrecognisable_count,
        ),
        "<h2>Weak enrolments</h2>",
        _table(
            ("id", "photos", "why"),
            (
                (one.employee_id, str(one.photo_count), ", ".join(one.weaknesses))
                for one in result.weak_enrollments
            ),
            result.weak_count,
        ),
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Gallery audit</title>'
        f"<style>{STYLE}</style></head><body>{''.join(sections)}</body></html>\n"
    )


def thresholds_text(thresholds: AuditThresholds) -> str:
    """Return in words at which similarities the service decides, and the risk behind them."""
    fewer = "".join(
        f"; of {photos} photo{'s' if photos > 1 else ''} {identify:.4f} and {verify:.4f}"
        for (photos, identify), (_, verify) in zip(
            thresholds.identify_of, thresholds.verify_of, strict=True
        )
        if identify < thresholds.identify or verify < thresholds.verify
    )
    whose = " against whoever has the most photos" if fewer else ""
    return (
        f"Thresholds{whose}: 1:N {thresholds.identify:.4f} (stated FPIR "
        f"{percent(thresholds.stated_fpir)}) and 1:1 {thresholds.verify:.4f}{fewer}; second "
        f"enrolment {thresholds.duplicate:.4f}"
    )


def similarity_text(similarity: float | None) -> str:
    """Return a similarity for people; a dash where there is none."""
    return "-" if similarity is None else f"{similarity:.3f}"


def ratio_text(log_likelihood_ratio: float) -> str:
    """Return a likelihood ratio for people: one person against two, as a power of ten."""
    return f"1e{log_likelihood_ratio / math.log(10):+.1f}"


def _rates(result: AuditResult) -> str:
    rows = [
        (
            rate.name,
            rate.meaning,
            f"{rate.threshold:.4f}",
            "no trial" if rate.measured is None else rate_text(rate.measured),
        )
        for rate in result.rates
    ]
    return _table(("rate", "what it means", "threshold", "measured"), rows, len(rows))


def _pair_sections(result: AuditResult) -> list[str]:
    return [
        "<h2>Ids that may be one person</h2>",
        _pairs(result.possible_duplicates, result.possible_duplicate_count),
        "<h2>People who can be taken for one another</h2>",
        _pairs(result.confusable_pairs, result.confusable_count),
        "<h2>The nearest pairs, whatever they are</h2>",
        _pairs(result.nearest_pairs, len(result.nearest_pairs)),
    ]


def _pairs(pairs: Sequence[PersonPair], count: int) -> str:
    rows = (
        (
            pair.first_employee_id,
            pair.second_employee_id,
            f"{pair.centroid_similarity:.3f}",
            f"{pair.photo_similarity:.3f}",
            ratio_text(pair.log_likelihood_ratio),
            f"{pair.mean_similarity:.3f}",
            f"{pair.own_mean_similarity:.3f}",
            "yes" if pair.told_apart else "",
        )
        for pair in pairs
    )
    return _table(PAIR_HEADS, rows, count)


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


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], count: int) -> str:
    cells = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    if not cells:
        return "<p>None.</p>"
    left = count - len(cells)
    caption = f"<caption>The worst {len(cells)} of {count:,}.</caption>" if left > 0 else ""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>"
