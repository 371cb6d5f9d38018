"""The trial of enrolments as tables."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.intervals import Rate
from training.enrolment.guards import AgreementFigures, DuplicateFigures, FalseAlarm
from training.enrolment.limits import SpoiltProbes
from training.enrolment.refusals import GroupRefusals
from training.enrolment.rules import RULES
from training.enrolment.trial import CONDITIONS, PHOTOS, SPOILT_SHARE, Condition, Outcome
from training.foundation.sheets import Sheet
from training.metrics.estimates import Estimate

_TITLES: dict[Condition, str] = {
    "clean": "as they are",
    "wrong": f"one wrong photo in {100 * SPOILT_SHARE:.0f} %",
    "poor": f"one poor photo in {100 * SPOILT_SHARE:.0f} %",
}


def rule_sheets(outcomes: tuple[Outcome, ...]) -> list[Sheet]:
    """Return a table of misses, one of differences to the plain mean, and one of intruders."""
    places = [(photos, condition) for photos in PHOTOS for condition in CONDITIONS]
    found = {(o.rule, o.guarded, o.photos, o.condition): o for o in outcomes}
    head = tuple(f"{photos} photos, {_TITLES[condition]}" for photos, condition in places)
    kinds = [(rule, guarded) for guarded in (False, True) for rule in RULES]
    misses, differences, intruders = [], [], []
    for rule, guarded in kinds:
        name = f"{rule}, guarded" if guarded else rule
        row = [found[rule, guarded, *place] for place in places]
        misses.append((name, *(_percent(one.fnir) for one in row)))
        differences.append((name, *(_percent(one.more_than_mean, signed=True) for one in row)))
        shown = [one.let_in for one in row if one.let_in is not None]
        intruders.append((name, *(_percent(one) for one in shown)))
    wrong = tuple(f"{photos} photos" for photos in PHOTOS)
    return [
        Sheet("FNIR at FPIR 1 %, in percent", ("rule", *head), tuple(misses)),
        Sheet("More FNIR than the plain mean, in points", ("rule", *head), tuple(differences)),
        Sheet(
            "Another photo of who was enrolled by mistake opens the door, in percent",
            ("rule", *wrong),
            tuple(intruders),
        ),
    ]


def guard_sheets(
    agreement: tuple[AgreementFigures, ...],
    duplicates: dict[str, tuple[DuplicateFigures, ...]],
    alarms: dict[str, tuple[FalseAlarm, ...]],
) -> list[Sheet]:
    """Return the tables of both guards; ``duplicates`` and ``alarms`` by name of the threshold."""
    return [
        Sheet(
            "Photos of one request, in percent",
            (
                "photos",
                "requests of one person with a photo named",
                "right photos named",
                "wrong photo named, anybody's",
                "wrong photo named, of the same group",
            ),
            tuple(
                (
                    str(one.photos),
                    _percent(one.troubled),
                    _percent(one.named),
                    _percent(one.caught),
                    "-" if one.caught_of_group is None else _percent(one.caught_of_group),
                )
                for one in agreement
            ),
        ),
        Sheet(
            "A second enrolment of the same person is noticed, in percent",
            ("threshold", "photos in the request", "photos enrolled", "noticed"),
            tuple(
                (name, str(one.photos), str(one.enrolled), _percent(one.noticed))
                for name, figures in duplicates.items()
                for one in figures
            ),
        ),
        Sheet(
            "A new person is taken for somebody enrolled, one photo each, in percent",
            ("threshold", "gallery of", "people", "false alarms"),
            tuple(
                (name, one.population, f"{one.gallery:,}", _percent(one.rate))
                for name, figures in alarms.items()
                for one in figures
            ),
        ),
    ]


def refusals_sheet(refusals: Sequence[GroupRefusals]) -> Sheet:
    """Return what each limit refuses of each group of one source, as a table."""
    groups = [group for group, _ in refusals[0].rates]
    rows = tuple(
        (
            one.stage,
            one.limit,
            *(
                _counted(dict(one.rates)[group]) if group in dict(one.rates) else "-"
                for group in groups
            ),
            f"{one.most} / {one.least}: {one.ratio:.1f}",
            f"{one.ratio_low:.2f}",
            ("" if one.judged else "was ") + ("UNEQUAL" if one.unequal else "equal"),
        )
        for one in refusals
    )
    head = ("limits of", "limit", *groups, "most / least", "surely above", "")
    return Sheet(f"Refused, of {refusals[0].source}: count, percent [95 %]", head, rows)


def exposure_sheet(measured: tuple[SpoiltProbes, ...]) -> Sheet:
    """Return what the limits of exposure refuse of dark and bright probes, and what that gains."""
    shown = [one for one in measured if one.kind in {"as it is", "dark", "bright"}]
    limits = [gate.limit for gate in shown[0].gated]
    head = [
        part for limit in limits for part in (f"refused, {limit}", f"FNMR of the rest, {limit}")
    ]
    rows = tuple(
        (
            one.kind,
            one.amount,
            f"{one.brightness:.0f}",
            f"{100 * one.clipped_shadows:.0f}",
            f"{100 * one.clipped_highlights:.0f}",
            f"{one.contrast_to_noise:.1f}",
            _percent(one.fnmr),
            *(
                part
                for gate in one.gated
                for part in (
                    f"{100 * gate.refused:.1f}",
                    "-" if gate.fnmr is None else f"{100 * gate.fnmr.value:.1f}",
                )
            ),
        )
        for one in shown
    )
    return Sheet(
        "What the limits of exposure cost and gain, in percent",
        (
            "probe",
            "amount",
            "median brightness",
            "shadows clipped",
            "highlights clipped",
            "contrast to noise",
            "FNMR",
            *head,
        ),
        rows,
    )


def _counted(rate: Rate) -> str:
    low, high = 100 * rate.low, 100 * rate.high
    return f"{rate.errors:,} of {rate.trials:,}: {100 * rate.rate:.2f} [{low:.2f}, {high:.2f}]"


def limits_sheet(measured: tuple[SpoiltProbes, ...]) -> Sheet:
    """Return what became of spoilt probes as a table."""
    return Sheet(
        "FNMR at the 1:1 threshold against centroids of three photos, in percent",
        ("probe", "amount", "median sharpness", "median brightness", "FNMR", "Cllr, bits", "ECE"),
        tuple(
            (
                one.kind,
                one.amount,
                f"{one.sharpness:.0f}",
                f"{one.brightness:.0f}",
                _percent(one.fnmr),
                f"{one.cllr:.3f}",
                f"{100 * one.ece:.1f}",
            )
            for one in measured
        ),
    )


def _percent(estimate: Estimate, *, signed: bool = False) -> str:
    form = "+.1f" if signed else ".1f"
    value, low, high = (100 * one for one in (estimate.value, estimate.low, estimate.high))
    return f"{value:{form}} [{low:{form}}, {high:{form}}]"
