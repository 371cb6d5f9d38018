"""The trial of enrollments as tables."""

from __future__ import annotations

from training.foundation.sheets import Sheet
from training.metrics.estimates import percent_text
from training.studies.enrollment.guards import AgreementFigures, DuplicateFigures, FalseAlarm
from training.studies.enrollment.rules import RULES
from training.studies.enrollment.trial import CONDITIONS, PHOTOS, SPOILT_SHARE, Condition, Outcome

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
        misses.append((name, *(percent_text(one.fnir) for one in row)))
        differences.append((name, *(percent_text(one.more_than_mean, signed=True) for one in row)))
        shown = [one.let_in for one in row if one.let_in is not None]
        intruders.append((name, *(percent_text(one) for one in shown)))
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
                    percent_text(one.troubled),
                    percent_text(one.named),
                    percent_text(one.caught),
                    "-" if one.caught_of_group is None else percent_text(one.caught_of_group),
                )
                for one in agreement
            ),
        ),
        Sheet(
            "A second enrollment of the same person is noticed, in percent",
            ("threshold", "photos in the request", "photos enrolled", "noticed"),
            tuple(
                (name, str(one.photos), str(one.enrolled), percent_text(one.noticed))
                for name, figures in duplicates.items()
                for one in figures
            ),
        ),
        Sheet(
            "A new person is taken for somebody enrolled, one photo each, in percent",
            ("threshold", "gallery of", "people", "false alarms"),
            tuple(
                (name, one.population, f"{one.gallery:,}", percent_text(one.rate))
                for name, figures in alarms.items()
                for one in figures
            ),
        ),
    ]
