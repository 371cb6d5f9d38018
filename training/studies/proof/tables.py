"""The tables of a proof."""

from __future__ import annotations

from training.foundation.sheets import Sheet
from training.metrics.estimates import estimate_text
from training.studies.proof.choices import ChoiceOutcome
from training.studies.proof.groups import GroupErrors
from training.studies.proof.probabilities import ProvedProbabilities
from training.studies.proof.promises import KeptPromise
from training.studies.proof.verdicts import VerdictShares


def promise_sheet(promises: list[KeptPromise]) -> Sheet:
    """Return stated and met rates as a table."""
    rows = tuple(
        (
            kept.promise_for.value,
            kept.population,
            f"{kept.people:,}",
            str(kept.photos),
            f"{kept.stated:g}",
            f"{kept.threshold:.3f}",
            estimate_text(kept.met),
            f"{kept.met.trials:,}",
            _word(kept),
        )
        for kept in promises
    )
    head = (
        "promised to",
        "strangers",
        "enrolled",
        "photos",
        "stated",
        "threshold",
        "met",
        "attempts",
        "",
    )
    return Sheet("Strangers taken for somebody (FPIR), stated and met", head, rows)


def _word(kept: KeptPromise) -> str:
    if not kept.supported:
        return "no promise"
    if not kept.named:
        return "not promised, EXCEEDED" if kept.exceeded else "not promised, met"
    return "BROKEN" if kept.broken else "kept"


def choice_sheet(outcomes: list[ChoiceOutcome]) -> Sheet:
    """Return what each scope of a stated risk costs, and who it lets in."""
    rows = tuple(
        (
            one.promise_for.value,
            f"{one.people:,}",
            str(one.photos),
            f"{one.stated:g}",
            estimate_text(one.met),
            one.worst_group,
            estimate_text(one.worst_met),
            estimate_text(one.refused),
        )
        for one in outcomes
    )
    head = (
        "promised to",
        "enrolled",
        "photos",
        "stated",
        "strangers taken for somebody",
        "worst group",
        "of these",
        "employees refused",
    )
    return Sheet("What each promise costs, of people and strangers kept aside", head, rows)


def group_sheet(title: str, errors: list[GroupErrors]) -> Sheet:
    """Return the errors by group as a table."""
    rows = tuple(
        (
            one.group,
            f"{one.people:,}",
            estimate_text(one.fmr),
            f"{one.over_all:.1f}",
            f"{one.genuine_people:,}",
            "-" if one.fnmr is None else estimate_text(one.fnmr),
        )
        for one in errors
    )
    head = ("group", "strangers", "FMR", "over everybody's", "people who resemble it", "FNMR")
    return Sheet(f"Errors by group: {title}", head, rows)


def probability_sheet(proved: list[ProvedProbabilities]) -> Sheet:
    """Return how far probabilities can be taken at their word as a table."""
    rows = tuple(
        (
            f"{one.people:,}",
            str(one.photos),
            one.traffic,
            f"{one.attempts:,}",
            f"{one.ece:.4f}",
            f"{one.brier:.4f}",
            f"{one.log_loss:.4f}",
        )
        for one in proved
    )
    head = ("enrolled", "photos", "traffic", "attempts", "ECE", "Brier", "log-loss")
    return Sheet("Probability of the most probable answer against the truth, LFW", head, rows)


def verdict_sheet(answered: list[VerdictShares]) -> Sheet:
    """Return the table of verdicts, by who stood there."""
    rows = tuple(
        (
            one.who,
            f"{one.people:,}",
            str(one.photos),
            *map(estimate_text, (one.right, one.another, one.ambiguous, one.missed)),
            f"{one.right.trials:,}",
        )
        for one in answered
    )
    head = ("who", "enrolled", "photos", "right", "somebody else", "ambiguous", "missed", "answers")
    return Sheet("Verdicts on LFW at the stated risk of 1 %", head, rows)
