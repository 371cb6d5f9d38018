"""A comparison as the table of a paper: mean ± sample deviation, the best in bold."""

from __future__ import annotations

from training.foundation.sheets import Sheet
from training.studies.losses.compare import Comparison, Measure


def comparison_sheet(comparison: Comparison) -> Sheet:
    """Return the table in percent; the caption says what was equal and what was not."""
    names = [measure.name for measure in comparison.contenders[0].measures]
    best = {
        name: max(_of(contender.measures, name).mean for contender in comparison.contenders)
        for name in names
    }
    rows = tuple(
        (
            contender.recipe,
            contender.loss,
            contender.miner,
            *(_cell(_of(contender.measures, name), best[name]) for name in names),
        )
        for contender in comparison.contenders
    )
    title = (
        f"{comparison.test_images} held-out images of {comparison.test_identities} identities, "
        f"learned from {comparison.train_images}; mean ± sample deviation of "
        f"{len(comparison.seeds)} seeds, in percent"
    )
    if comparison.differing:
        title += f"; beside loss and miner these differ: {', '.join(comparison.differing)}"
    return Sheet(title, ("recipe", "loss", "miner", *names), rows)


def _of(measures: tuple[Measure, ...], name: str) -> Measure:
    return next(measure for measure in measures if measure.name == name)


def _cell(measure: Measure, best: float) -> str:
    spread = "" if measure.deviation is None else f" ± {100 * measure.deviation:.2f}"
    text = f"{100 * measure.mean:.2f}{spread}"
    return f"**{text}**" if measure.mean == best else text
