"""A comparison as tables of a paper: mean ± sample deviation over seeds, intervals, the best.

Recipes are told by numbers where figures stand, so that a terminal of 80 columns shows all of it.
"""

from __future__ import annotations

from training.foundation.sheets import Sheet
from training.metrics.similarity import ERRORS
from training.studies.losses.compare import Comparison, Contender, Measure

MAX_MEASURES = 4  # of one table: four columns of "100.00 ± 10.00" leave a line of 80 room enough


def comparison_sheets(comparison: Comparison) -> list[Sheet]:
    """Return who is compared, then the figures in percent; the captions say what was equal."""
    names = [measure.name for measure in comparison.contenders[0].measures]
    groups = [names[n : n + MAX_MEASURES] for n in range(0, len(names), MAX_MEASURES)]
    return [_recipes(comparison), *(_figures(comparison, group) for group in groups)]


def best_contenders(comparison: Comparison, name: str) -> list[int]:
    """Return the places of those with the best mean of a measure: of errors the lowest."""
    means = [measure_of(contender, name).mean for contender in comparison.contenders]
    best = min(means) if name in ERRORS else max(means)
    return [place for place, mean in enumerate(means) if mean == best]


def measure_of(contender: Contender, name: str) -> Measure:
    """Return a contender's measure by its name."""
    return next(measure for measure in contender.measures if measure.name == name)


def _recipes(comparison: Comparison) -> Sheet:
    title = (
        f"{comparison.test_images} held-out images of {comparison.test_identities} identities, "
        f"learned from {comparison.train_images}"
    )
    if comparison.differing:
        title += f"; beside loss and miner these differ: {', '.join(comparison.differing)}"
    rows = tuple(
        (str(number), one.recipe, one.loss, one.margin or "none", one.miner)
        for number, one in enumerate(comparison.contenders, start=1)
    )
    return Sheet(title, ("", "recipe", "loss", "margin", "miner"), rows)


def _figures(comparison: Comparison, names: list[str]) -> Sheet:
    seeds = len(comparison.seeds)
    title = f"Mean {'± sample deviation ' if seeds > 1 else ''}of {seeds} seed{'s' * (seeds > 1)}"
    first = comparison.contenders[0].measures
    if any(measure.interval is not None for measure in first if measure.name in names):
        title += ", [95 % interval of the mean, by held-out identity]"
    if errors := [name for name in names if name in ERRORS]:
        title += f"; of {', '.join(errors)} less is better"
    best = {name: best_contenders(comparison, name) for name in names}
    rows = [
        (str(number), *(_cell(measure_of(one, name)) for name in names))
        for number, one in enumerate(comparison.contenders, start=1)
    ]
    told = (", ".join(str(place + 1) for place in best[name]) for name in names)
    return Sheet(
        f"{title}; in percent",
        ("", *names),
        (*rows, ("best", *told)),
        frozenset((row, 1 + column) for column, name in enumerate(names) for row in best[name]),
    )


def _cell(measure: Measure) -> str:
    spread = "" if measure.deviation is None else f" ± {100 * measure.deviation:.2f}"
    text = f"{100 * measure.mean:.2f}{spread}"
    if measure.interval is None:
        return text
    return f"{text}\n[{100 * measure.interval.low:.1f}, {100 * measure.interval.high:.1f}]"
