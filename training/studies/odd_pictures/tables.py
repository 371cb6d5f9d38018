"""The trial of odd pictures as tables."""

from __future__ import annotations

from training.foundation.sheets import Sheet
from training.metrics.estimates import Estimate, estimate_text
from training.studies.odd_pictures.results import KindFigures, MixedDoor, OddPictures


def sheets_of(found: OddPictures) -> list[Sheet]:
    """Return the tables: matches by kind, refusals by kind, doors with odd enrollments."""
    everybody = (found.upright, *found.kinds)
    return [_matches(found, everybody), _refusals(everybody), _doors(found), _mixed(found.mixed)]


def fault_lines(found: OddPictures) -> list[str]:
    """Return every broken bar in a line."""
    kinds = (found.upright, *found.kinds)
    lines = [f"{kind.kind}: {fault}" for kind in kinds for fault in kind.faults]
    doors = [(door.people, fault) for door in found.mixed for fault in door.faults]
    return lines + [f"{people} people: {fault}" for people, fault in doors]


def _matches(found: OddPictures, kinds: tuple[KindFigures, ...]) -> Sheet:
    groups = list(dict.fromkeys(group for kind in kinds for group in kind.both_odd))
    rows = tuple(
        (
            kind.kind,
            str(kind.shown),
            str(kind.shown - sum(kind.refused_at_enrollment.values())),
            str(kind.shown - sum(kind.refused_at_the_door.values())),
            *(_text(kind.both_odd.get(group)) for group in groups),
            f"{kind.passing_matches:,} of {kind.passing_pairs:,}",
            _text(kind.one_odd),
            _text(kind.itself),
            _text(kind.itself_shown),
            "BROKEN" if kind.faults else "kept",
        )
        for kind in kinds
    )
    head = (
        "kind",
        "shown",
        "enrolled",
        "taken at the door",
        *(f"both odd match: {group}" for group in groups),
        "of pairs that pass",
        "one odd matches",
        "its own person, of those taken",
        "of those shown",
        "",
    )
    title = (
        f"Different people who match at {found.threshold:.3f} (stated FMR {found.stated_fmr:g}), "
        f"of all pairs shown; {found.model}; {found.people}"
    )
    return Sheet(title, head, rows)


def _refusals(kinds: tuple[KindFigures, ...]) -> Sheet:
    rows = tuple(
        (
            kind.kind,
            str(kind.shown),
            _codes(kind.refused_at_enrollment),
            _codes(kind.refused_at_the_door),
        )
        for kind in kinds
    )
    return Sheet("Refused, by code", ("kind", "shown", "at enrollment", "at the door"), rows)


def _codes(counts: dict[str, int]) -> str:
    if not counts:
        return "0"
    listed = ", ".join(f"{code} {count}" for code, count in counts.items())
    return f"{sum(counts.values())} ({listed})"


def _doors(found: OddPictures) -> Sheet:
    rows = tuple(
        (
            kind.kind,
            f"{door.people:,}",
            str(door.odd_enrolled),
            f"{door.threshold:.3f}",
            estimate_text(door.plain),
            estimate_text(door.odd),
            f"{door.odd.trials:,}",
        )
        for kind in (found.upright, *found.kinds)
        for door in kind.doors
    )
    head = ("kind", "enrolled", "odd", "threshold", "plain strangers", "odd strangers", "attempts")
    title = f"Strangers found where 1 % are enrolled by odd pictures, stated {found.stated_fpir:g}"
    return Sheet(title, head, rows)


def _mixed(doors: tuple[MixedDoor, ...]) -> Sheet:
    rows = tuple(
        (
            f"{door.people:,}",
            str(door.odd_enrolled),
            f"{door.threshold:.3f}",
            estimate_text(door.plain),
            estimate_text(door.odd),
            estimate_text(door.known),
            "BROKEN" if door.faults else "kept",
        )
        for door in doors
    )
    head = (
        "enrolled",
        "odd",
        "threshold",
        "plain strangers",
        "odd strangers",
        "known of staff",
        "",
    )
    return Sheet("The same with odd pictures of all kinds", head, rows)


def _text(estimate: Estimate | None) -> str:
    return "-" if estimate is None else estimate_text(estimate)
