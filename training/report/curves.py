"""Curves: ROC, DET, reliability, and how a training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from training.evaluation.table_results import TableEvaluation
from training.metrics.classification import Curve
from training.metrics.estimates import Estimate
from training.metrics.reliability import Reliability
from training.metrics.results import AllPairs
from training.report.canvas import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    PALETTE,
    SKY,
    Drawn,
    new_figure,
    plain_axes,
    save_figure,
)

LogLine = Mapping[str, object]

CURVE_COLUMNS = 3
MANY_POINTS = 100
NOT_CURVES = ("step", "progress", "epoch", "seconds")


def draw_roc(evaluation: TableEvaluation, path: Path) -> Drawn:
    """Draw TAR against FAR on a logarithmic axis, with the intervals of the reported rates."""
    figure = new_figure(7.0, 4.8)
    axes = plain_axes(figure)
    _step(axes, evaluation.roc, BLUE, "all pairs")
    points = evaluation.all_pairs.tar_at_far
    _with_intervals(axes, [p.far for p in points], [p.tar for p in points], BLUE, MARKERS[0])
    chance = np.geomspace(evaluation.roc.floor_x, 1, 60)
    axes.plot(chance, chance, color=GREY, linestyle=":", label="chance")
    axes.set_xscale("log")
    axes.set_xlim(evaluation.roc.floor_x, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false accept rate, FAR (share of pairs of two identities, log scale)")
    axes.set_ylabel("true accept rate, TAR (share)")
    axes.legend(loc="lower right", frameon=False)
    axes.set_title(roc_title(evaluation.all_pairs))
    return save_figure(
        figure,
        path,
        "ROC",
        f"All pairs of the test images, in curve, points and title: "
        f"{evaluation.all_pairs.same_pairs:,} of one identity, "
        f"{evaluation.all_pairs.different_pairs:,} of two. Bars: 95 % intervals by identity.",
    )


def roc_title(found: AllPairs) -> str:
    """Return a title that names the pairs of the curve, and gives AUC and EER of the same."""
    pairs = found.same_pairs + found.different_pairs
    title = f"ROC of all {pairs:,} pairs"
    if found.auc is None or found.eer is None:
        return title
    return f"{title}: AUC {found.auc.value:.4f}, EER {found.eer.value:.4f}"


def draw_det(evaluation: TableEvaluation, path: Path) -> Drawn | None:
    """Draw FNIR against FPIR, both logarithmic; ``None`` where no open set could be made."""
    if not evaluation.open_set:
        return None
    figure = new_figure(7.0, 4.8)
    axes = plain_axes(figure)
    for number, one in enumerate(evaluation.open_set):
        colour, marker = PALETTE[number], MARKERS[number]
        photos = one.result.photos_enrolled
        drawn = one.det.model_copy(
            update={"y": tuple(max(y, one.det.floor_y / 2) for y in one.det.y)}
        )
        _step(axes, drawn, colour, f"{photos} image{'s' * (photos > 1)} enrolled", number)
        points = [p for p in one.result.points if p.fnir.value > 0]
        _with_intervals(axes, [p.fpir for p in points], [p.fnir for p in points], colour, marker)
    lowest = min(
        min(*one.det.y, *(point.fnir.low for point in one.result.points), 1.0)
        for one in evaluation.open_set
    )
    none = min(one.det.floor_y for one in evaluation.open_set) / 2
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(min(one.det.floor_x for one in evaluation.open_set), 1)
    axes.set_ylim(max(0.8 * none, lowest / 2), 1.1)
    axes.set_xlabel("FPIR (share of outsiders taken for somebody, log scale)")
    axes.set_ylabel("FNIR (share of known probes missed, log scale)")
    axes.set_title("DET: open-set identification")
    axes.legend(loc="best", frameon=False)
    return save_figure(
        figure,
        path,
        "DET",
        "Down and left is better. Gallery: the mean direction of the images enrolled; outsiders "
        "are identities with nothing enrolled. No missed probe at all is drawn as half of "
        "one. Bars: 95 % intervals by identity.",
    )


def draw_reliability(calibration: Reliability, path: Path) -> Drawn:
    """Draw the share of genuine pairs against the predicted probability, and how many."""
    figure = new_figure(7.0, 5.4)
    grid = figure.add_gridspec(2, 1, height_ratios=[3, 1])
    axes = figure.add_subplot(grid[0])
    counts = figure.add_subplot(grid[1], sharex=axes)
    for part in (axes, counts):
        part.spines[["top", "right"]].set_visible(False)
        part.grid(visible=True, color="#dddddd", linewidth=0.7)
        part.set_axisbelow(True)
    predicted = [b.probability for b in calibration.bins]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="as told")
    axes.plot(predicted, [b.same for b in calibration.bins], "o-", color=BLUE, label="measured")
    axes.set_ylabel("share that is one identity")
    axes.set_ylim(-0.02, 1.02)
    axes.legend(loc="upper left", frameon=False)
    axes.set_title(
        f"Reliability: ECE {calibration.ece.value:.3f}, Brier {calibration.brier.value:.3f}"
    )
    centres = [(b.low + b.high) / 2 for b in calibration.bins]
    widths = [0.9 * (b.high - b.low) for b in calibration.bins]
    counts.bar(centres, [b.pairs for b in calibration.bins], widths, color=SKY)
    counts.set_yscale("log")
    counts.set_ylim(bottom=0.5)
    counts.yaxis.set_minor_formatter(NullFormatter())
    counts.set_ylabel("pairs (log)")
    counts.set_xlabel("probability told that the pair is one identity")
    counts.set_xlim(0, 1)
    return save_figure(
        figure,
        path,
        "Reliability",
        "A Platt line fitted on validation pairs, judged on test pairs, half of them of one "
        "identity. Points below the dotted line promise too much, points above too little.",
    )


def draw_training_curves(log: Sequence[LogLine], path: Path) -> Drawn | None:
    """Draw each named number of a log over its steps; ``None`` where the log holds none."""
    names = _curve_names(log)
    if not names:
        return None
    rows = -(-len(names) // CURVE_COLUMNS)
    columns = min(CURVE_COLUMNS, len(names))
    figure = new_figure(3.2 * columns + 0.4, 2.3 * rows + 0.6)
    for place, name in enumerate(names):
        axes = plain_axes(figure, rows, columns, place + 1)
        steps, values = _series(log, name)
        if len(steps) > MANY_POINTS:
            axes.plot(steps, values, color=SKY, linewidth=0.6)
            axes.plot(steps, _smoothed(values), color=BLUE, linewidth=1.5)
        else:
            axes.plot(steps, values, "o-", color=BLUE, markersize=3, linewidth=1.2)
        axes.set_title(name, fontsize=10)
        axes.tick_params(labelsize=8)
        axes.set_xlabel("step", fontsize=8)
    figure.suptitle("Training")
    return save_figure(
        figure,
        path,
        "Training curves",
        "Every number of the run's log. Where there are many, the dark line is their running mean "
        "over a twentieth of the run.",
    )


def _curve_names(log: Sequence[LogLine]) -> list[str]:
    """Return the names of finite numbers in the log, in order of their first line."""
    names: dict[str, None] = {}
    for line in log:
        for name, value in line.items():
            if name not in NOT_CURVES and isinstance(value, int | float) and np.isfinite(value):
                names[name] = None
    return list(names)


def _series(log: Sequence[LogLine], name: str) -> tuple[list[float], list[float]]:
    """Return steps and values of one name; a line without a step counts from where it stands."""
    steps, values = [], []
    for place, line in enumerate(log):
        value, step = line.get(name), line.get("step", place)
        if isinstance(value, int | float) and np.isfinite(value) and isinstance(step, int | float):
            steps.append(float(step))
            values.append(float(value))
    return steps, values


def _smoothed(values: Sequence[float]) -> list[float]:
    width = max(1, len(values) // 20)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    reach = np.minimum(np.minimum(places, places[::-1]), width // 2)  # even to both sides
    starts, ends = places - reach, places + reach + 1
    return [float(v) for v in (sums[ends] - sums[starts]) / (ends - starts)]


def _step(axes: Axes, curve: Curve, colour: str, label: str, number: int = 0) -> None:
    style = ("-", "--", "-.")[number % 3]
    axes.plot(curve.x, curve.y, style, color=colour, label=label, drawstyle="steps-post")


def _with_intervals(
    axes: Axes, rates: Sequence[float], estimates: Sequence[Estimate], colour: str, marker: str
) -> None:
    """Draw measured points with their 95 % intervals."""
    below = [e.value - e.low for e in estimates]
    above = [e.high - e.value for e in estimates]
    axes.errorbar(
        rates,
        [e.value for e in estimates],
        yerr=[below, above],
        fmt=marker,
        color=colour,
        markeredgecolor=BLACK,
        markersize=6,
        capsize=3,
        linestyle="none",
    )
