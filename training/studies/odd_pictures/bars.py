"""What odd pictures may do at most, and what is broken where they surely do more."""

from __future__ import annotations

from app.domain.policy import RiskTargets
from training.data.odd_pictures.kinds import Kind
from training.metrics.estimates import estimate_text
from training.studies.odd_pictures.results import KindFigures, MixedDoor

#: Of what is taken as if upright, or taken at all after a turn, so much must be its own person.
OWN_SHARE = 0.95


def faults_of(kind: Kind, found: KindFigures, targets: RiskTargets) -> tuple[str, ...]:
    """Return a line for each bar that the figures of a kind surely break.

    A rate breaks its bar where even the lower end of its 95 % interval lies above it: the share of
    pairs of odd pictures that pass and match above the stated FMR, in any group; the share of
    strangers found at a door with 1 % odd enrollments above the stated FPIR. A tilt that is to be
    taken as upright, and what is taken of turned pictures, must be its own person: broken where the
    upper end lies below ``OWN_SHARE``.
    """
    faults = [
        f"both odd, {group}: {estimate_text(rate)}, stated FMR {targets.fmr:g}"
        for group, rate in found.both_odd.items()
        if rate.low > targets.fmr
    ]
    if found.one_odd.low > targets.fmr:
        faults.append(f"one odd: {estimate_text(found.one_odd)}, stated FMR {targets.fmr:g}")
    for door in found.doors:
        for who, rate in (("plain", door.plain), ("odd", door.odd)):
            if rate.low > targets.fpir:
                faults.append(
                    f"{who} strangers at {door.people} people, {door.odd_enrolled} of them odd: "
                    f"{estimate_text(rate)}, stated FPIR {targets.fpir:g}"
                )
    if kind.as_upright and found.itself_shown and found.itself_shown.high < OWN_SHARE:
        faults.append(f"taken as its person: {estimate_text(found.itself_shown)} of those shown")
    if kind.turned and found.itself and found.itself.high < OWN_SHARE:
        faults.append(f"its own person: {estimate_text(found.itself)} of those taken")
    return tuple(faults)


def faults_at(door: MixedDoor, targets: RiskTargets) -> tuple[str, ...]:
    """Return a line for each kind of stranger that is surely found more often than stated."""
    return tuple(
        f"{who} strangers: {estimate_text(rate)}, stated FPIR {targets.fpir:g}"
        for who, rate in (("plain", door.plain), ("odd", door.odd))
        if rate.low > targets.fpir
    )
