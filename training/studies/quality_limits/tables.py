"""Who each quality limit refuses and what it gains, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.intervals import Rate
from training.foundation.sheets import Sheet
from training.metrics.estimates import percent_text
from training.studies.quality_limits.limits import SpoiltProbes
from training.studies.quality_limits.refusals import GroupRefusals


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
            f"{one.most_refused} / {one.least_refused}: {one.ratio:.1f}",
            f"{one.ratio_low:.2f}",
            ("" if one.in_force else "was ") + ("UNEQUAL" if one.unequal else "equal"),
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
            percent_text(one.fnmr),
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
                percent_text(one.fnmr),
                f"{one.cllr:.3f}",
                f"{100 * one.ece:.1f}",
            )
            for one in measured
        ),
    )
