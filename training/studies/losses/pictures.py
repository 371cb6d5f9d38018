"""A comparison as pictures: bars with deviations, and the same queries answered by each recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from app.domain.faces import Picture
from training.data.learning_parts import LearningParts
from training.engines.learned import HeldOut
from training.foundation.arrays import IntArray, Matrix
from training.metrics.retrieval import most_similar
from training.metrics.similarity import ERRORS
from training.report.canvas import (
    BLACK,
    BLUE,
    ORANGE,
    PALETTE,
    Drawn,
    light_grid,
    new_figure,
    save_figure,
    shortened,
)
from training.report.strips import TileSheet, square_tile
from training.studies.losses.compare import Comparison
from training.studies.losses.table import measure_of

COLUMNS = 4
QUERIES = 6
TOP = 3


def draw_bars(comparison: Comparison, path: Path) -> Drawn:
    """Draw each measure as a panel of bars, a recipe each, with deviations and single seeds."""
    names = [measure.name for measure in comparison.contenders[0].measures]
    count = len(comparison.contenders)
    rows = -(-len(names) // COLUMNS)
    columns = min(COLUMNS, len(names))
    panel = 0.36 * count + 1.15
    figure = new_figure(2.9 * columns + 1.6, rows * panel + 0.4)
    grid = figure.add_gridspec(rows, columns)
    labels = _numbered([one.recipe for one in comparison.contenders])
    for place, name in enumerate(names):
        axes = light_grid(figure.add_subplot(grid[place // columns, place % columns]))
        for row, one in enumerate(comparison.contenders):
            measure = measure_of(one, name)
            colour = PALETTE[row % len(PALETTE)]
            axes.barh(row, 100 * measure.mean, 0.66, color=colour, alpha=0.55)
            values = 100 * np.array(measure.values)
            at = np.full(len(values), row)
            axes.plot(values, at, "o", color=BLACK, markersize=3, clip_on=False)
            if measure.deviation is not None:
                axes.errorbar(
                    100 * measure.mean, row, xerr=100 * measure.deviation, color=BLACK, capsize=4
                )
        axes.set_ylim(count - 0.5, -0.5)
        axes.set_yticks(range(count), labels if place % columns == 0 else [""] * count)
        axes.set_title(f"{name} (%)" + (": less is better" if name in ERRORS else ""), fontsize=10)
        axes.set_xlim(*_limits(comparison, name))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(labelsize=8)
    seeds = len(comparison.seeds)
    said = "lines: sample deviation; dots: each seed" if seeds > 1 else "one seed: no deviation"
    figure.suptitle(
        f"Mean of {seeds} seed{'s' * (seeds > 1)}; {said}; axes do not begin at 0", fontsize=10
    )
    return save_figure(
        figure,
        path,
        "Recipes compared",
        "Bars: the mean over the seeds; lines: the sample's deviation; dots: each seed. The axes "
        "begin where the measures do, not at zero.",
    )


def draw_strips_beside(
    names: Sequence[str], parts: LearningParts, answers: Sequence[HeldOut], seed: int, path: Path
) -> Drawn:
    """Draw the same held-out queries with the nearest images by each recipe, side by side.

    Half of the queries are drawn by ``seed``, half are those on which the recipes disagree most.
    """
    labels = parts.test.labels.numpy()
    nearest = [_nearest(held_out.embeddings.numpy()) for held_out in answers]
    queries = _chosen_queries(labels, nearest, seed)
    columns = 1 + TOP * len(names)
    title = "The same queries by each recipe: half by chance, below them the most disputed"
    sheet = TileSheet(title, len(queries), columns, (1.05, 1.05))

    numbered = _numbered(names)

    def tile(row: int) -> Picture:
        picture: Picture = parts.test.images[row].permute(1, 2, 0).numpy()
        return square_tile(picture)

    def name_of(row: int) -> str:
        number = int(labels[row])
        known = parts.test.label_names
        return shortened(known[number] if number < len(known) else str(number), 16)

    for line, query in enumerate(queries):
        sheet.add(line * columns, tile(query), BLACK, "query", name_of(query))
        for recipe, found in enumerate(nearest):
            middle = found.shape[1] // 2  # where a name has the room of the whole strip
            for place in range(found.shape[1]):
                row = int(found[query, place])
                right = labels[row] == labels[query]
                embeddings = answers[recipe].embeddings
                cosine = float(embeddings[query] @ embeddings[row])
                sheet.add(
                    line * columns + 1 + recipe * TOP + place,
                    tile(row),
                    BLUE if right else ORANGE,
                    f"{numbered[recipe] if place == middle else ''}\n"
                    f"{place + 1}: {cosine:.3f} {'same' if right else 'other'}",
                    name_of(row),
                )
    return save_figure(
        sheet.figure,
        path,
        "Retrieval, side by side",
        f"The {TOP} nearest of all other held-out images by each recipe's first seed. Framed blue: "
        "the query's own identity. The upper half is drawn by chance, the lower half is where the "
        "recipes disagree most.",
    )


def _numbered(names: Sequence[str]) -> list[str]:
    """Return names with the numbers of the table, which tell those shortened alike apart."""
    return [f"{number}. {shortened(name, 36)}" for number, name in enumerate(names, start=1)]


def _limits(comparison: Comparison, name: str) -> tuple[float, float]:
    """Return the part of the axis that holds all bars' ends, with room, within 0 to 100."""
    measures = [measure_of(one, name) for one in comparison.contenders]
    ends = [
        100 * (value + sign * (measure.deviation or 0.0))
        for measure in measures
        for value in (*measure.values, measure.mean)
        for sign in (-1, 1)
    ]
    room = max(0.5, 0.25 * (max(ends) - min(ends)))
    return max(0.0, min(ends) - room), min(100.0, max(ends) + room)


def _nearest(embeddings: Matrix) -> IntArray:
    """Return the nearest other rows of each row, ``(N, TOP)``, nearest first."""
    similarities = embeddings @ embeddings.T
    np.fill_diagonal(similarities, -np.inf)
    return most_similar(similarities, min(TOP, len(embeddings) - 1))


def _chosen_queries(labels: IntArray, nearest: Sequence[IntArray], seed: int) -> list[int]:
    """Return rows that have another of their identity: half by chance, half the most disputed."""
    counts = np.bincount(labels)
    able = np.nonzero(counts[labels] > 1)[0]
    right = np.stack([(labels[found] == labels[:, None]).mean(axis=1) for found in nearest])
    disputed = able[np.argsort(-np.ptp(right, axis=0)[able], kind="stable")][: QUERIES // 2]
    rest = np.setdiff1d(able, disputed)
    drawn = np.random.default_rng(seed).permutation(rest)[: QUERIES - len(disputed)]
    return [int(row) for row in (*drawn, *disputed)]
