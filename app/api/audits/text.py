"""An audit as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from app.api.audits.figures import ratio_text, similarity_text, thresholds_text
from app.domain.audit.advice import rate_text
from app.domain.audit.result import AuditResult, PersonPair


def audit_text(result: AuditResult) -> str:
    """Return rates, findings and advice, a line each."""
    lines = [
        f"{result.people_count:,} people, {result.photo_count:,} photos",
        thresholds_text(result.thresholds),
        "",
    ]
    for rate in result.rates:
        measured = "no trial" if rate.measured is None else rate_text(rate.measured)
        lines.append(f"{rate.name:14} {measured}")
    lines += _pairs(
        "may be one person", result.possible_duplicates, result.possible_duplicate_count
    )
    lines += _pairs("can be confused", result.confusable_pairs, result.confusable_count)
    lines += _pairs("nearest pairs", result.nearest_pairs, len(result.nearest_pairs))
    lines += ["", f"photos unlike their person: {result.outlier_count}"]
    for photo in result.outliers:
        other = f" {photo.other_employee_id}" if photo.other_employee_id else ""
        lines.append(
            f"  {photo.employee_id} {photo.photo_id} {photo.finding.value}{other} "
            f"(own {similarity_text(photo.own_similarity)}, "
            f"other {similarity_text(photo.other_similarity)})"
        )
    lines += ["", f"photos that match any unrecognisable face: {result.unrecognisable_count}"]
    lines += [
        f"  {one.employee_id} {one.photo_id} recognisability {one.recognisability:.3f}"
        for one in result.unrecognisable_photos
    ]
    lines += ["", f"weak enrollments: {result.weak_count}"]
    lines += [
        f"  {one.employee_id} {one.photo_count} photos: {', '.join(one.weaknesses)}"
        for one in result.weak_enrollments
    ]
    lines += ["", *(f"* {advice}" for advice in result.advice)]
    return "\n".join(lines)


def _pairs(name: str, pairs: Sequence[PersonPair], count: int) -> list[str]:
    return ["", f"{name}: {count}"] + [
        f"  {pair.first_employee_id} / {pair.second_employee_id}: nearest photo "
        f"{pair.photo_similarity:.3f}, likelihood ratio {ratio_text(pair.log_likelihood_ratio)}, "
        f"all photos {pair.mean_similarity:.3f}, own {pair.own_mean_similarity:.3f}"
        + (", told apart at an enrollment" if pair.told_apart else "")
        for pair in pairs
    ]
