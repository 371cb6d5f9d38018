"""Probabilities at their word, as a picture: what was told against what was true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.report.canvas import BLUE, GREY, ORANGE, Drawn, new_figure, plain_axes, save_figure
from training.studies.proof.probabilities import TRAFFIC, ProvedProbabilities

TITLES = {
    "genuine": "98 in 100 are employees",
    "mixed": "half are strangers",
    "stranger": "98 in 100 are strangers",
}
MIN_ATTEMPTS = 20


def draw_probabilities(proved: Sequence[ProvedProbabilities], path: Path) -> Drawn:
    """Draw a panel for each size of gallery and kind of traffic, a line for each photo count."""
    sizes = sorted({one.people for one in proved})
    figure = new_figure(10.0, 3.2 * len(sizes))
    colours = dict(zip(sorted({one.photos for one in proved}), (BLUE, ORANGE), strict=False))
    for row, size in enumerate(sizes):
        for column, traffic in enumerate(TRAFFIC):
            place = row * len(TRAFFIC) + column + 1
            axes = plain_axes(figure, len(sizes), len(TRAFFIC), place)
            axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
            for one in proved:
                if (one.people, one.traffic) != (size, traffic):
                    continue
                bins = [b for b in one.bins if b.pairs >= MIN_ATTEMPTS]
                axes.plot(
                    [b.probability for b in bins],
                    [b.same for b in bins],
                    "o-" if one.photos == 1 else "s-",
                    color=colours[one.photos],
                    label=f"{one.photos} photo{'s' if one.photos > 1 else ''}, ECE {one.ece:.3f}",
                )
            axes.set_xlim(0, 1.02)
            axes.set_ylim(0, 1.02)
            axes.set_title(f"{size:,} enrolled; {TITLES[traffic]}", fontsize=9)
            axes.legend(loc="upper left", frameon=False, fontsize=8)
            if column == 0:
                axes.set_ylabel("share that was right")
            if row == len(sizes) - 1:
                axes.set_xlabel("probability told")
    return save_figure(
        figure,
        path,
        "Probabilities at their word",
        "Of the most probable answer, one employee or nobody. Points below the dotted line promise "
        f"too much. Bins of fewer than {MIN_ATTEMPTS} attempts are left out.",
    )
