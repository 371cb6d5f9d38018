"""Where similarities and embeddings lie: histograms and a t-SNE map."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from sklearn.manifold import TSNE

from training.evaluation.table_evaluation import PHOTOS_ENROLLED, open_set_of
from training.evaluation.table_results import Histogram, TableEvaluation
from training.foundation.arrays import FloatArray, IntArray
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.open_set import centroids
from training.metrics.table_parts import OUTSIDER_SHARE
from training.report.canvas import (
    BLACK,
    BLUE,
    GREY,
    MARKERS,
    ORANGE,
    PALETTE,
    SKY,
    Drawn,
    light_grid,
    new_figure,
    plain_axes,
    save_figure,
)

MAX_CENTROIDS = 150
MAX_QUERIES = 500
MAX_OUTSIDERS = 250
NEIGHBOURS = 30.0


def draw_histograms(evaluation: TableEvaluation, path: Path) -> Drawn:
    """Draw cosines and distances of all pairs, then probes and outsiders, each with its threshold.

    The threshold of pairs is the one that validation chose.
    """
    opened = evaluation.open_set[-1] if evaluation.open_set else None
    figure = new_figure(9.4, 3.7 * (2 if opened else 1))
    grid = figure.add_gridspec(2 if opened else 1, 2)
    threshold = evaluation.decisions.threshold
    collapsed = evaluation.spread is not None and evaluation.spread.collapsed
    for histogram, place, limit, measure in (
        (evaluation.pair_histogram, grid[0, 0], threshold, "similarity (cosine)"),
        (
            evaluation.distance_histogram,
            grid[0, 1],
            math.sqrt(max(0.0, 2 - 2 * threshold)),
            "distance (Euclidean, of unit vectors)",
        ),
    ):
        if histogram is None:
            continue
        axes = light_grid(figure.add_subplot(place))
        _bars(axes, histogram, "one identity", "two identities")
        _threshold(axes, limit)
        axes.set_title("All pairs: collapsed" if collapsed else "All pairs of the test images")
        axes.set_xlabel(measure)
        _legend_below(axes)
    if opened:
        axes = light_grid(figure.add_subplot(grid[1, :]))
        _bars(axes, opened.histogram, "genuine: own centroid", "outsider: nearest centroid")
        if opened.at_threshold is not None:
            _threshold(axes, opened.at_threshold.threshold)
        images = opened.result.photos_enrolled
        axes.set_title(f"Identification, centroids of {images} image{'s' * (images > 1)}")
        axes.set_xlabel("similarity to the centroid (cosine)")
        _legend_below(axes, columns=3)
    return save_figure(
        figure,
        path,
        "Similarities and distances",
        "Each kind fills its own hundred per cent. The dashed lines are the thresholds that "
        "validation chose: for fewest errors on pairs, and for the stated share of outsiders.",
    )


def draw_map(
    table: EmbeddingTable, seed: int, path: Path, outsiders: float = OUTSIDER_SHARE
) -> Drawn | None:
    """Draw centroids, queries and outsiders by t-SNE (van der Maaten and Hinton, 2008).

    Up to eight identities, those with most queries, are told by colour and shape. ``None`` where no
    open set can be made of the table.
    """
    found = [open_set_of(table, photos, seed, outsiders) for photos in PHOTOS_ENROLLED]
    usable = [one for one in found if one is not None]
    if not usable:
        return None
    parts, _ = usable[-1]
    random = np.random.default_rng(seed)
    enrollment = parts.enrollment
    busiest = np.argsort(-np.bincount(enrollment.owners), kind="stable")[:MAX_CENTROIDS]
    shown = np.nonzero(np.isin(enrollment.owners, busiest))[0]
    shown = _drawn(shown, enrollment.owners[shown], MAX_QUERIES)
    outside = random.permutation(parts.outsiders)[:MAX_OUTSIDERS]
    points = np.concatenate(
        [
            centroids(table.embeddings, enrollment.enrolled[busiest]),
            table.embeddings[enrollment.probes[shown]],
            table.embeddings[outside],
        ]
    )
    places = _embedded(points.astype(np.float64), seed)
    figure = new_figure(7.0, 6.2)
    axes = plain_axes(figure)
    names = [table.label_names[table.labels[row]] for row in enrollment.enrolled[busiest, 0]]
    _scatter(axes, places, busiest, enrollment.owners[shown], names)
    axes.set_title("t-SNE of centroids, queries and outsiders")
    axes.set_xlabel("first t-SNE axis (no unit)")
    axes.set_ylabel("second t-SNE axis (no unit)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return save_figure(
        figure,
        path,
        "Map",
        f"{len(busiest)} centroids, {len(shown)} queries, {len(outside)} outsiders. Near is alike; "
        "far means little, and neither the axes nor the size of a cluster mean anything.",
    )


def _drawn(rows: IntArray, owners: IntArray, max_rows: int) -> IntArray:
    """Return up to ``max_rows`` rows, taking each owner's first before anybody's second."""
    order = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[order], owners[order], side="left")
    turn = np.empty(len(rows), np.int64)
    turn[order] = np.arange(len(rows)) - starts
    chosen: IntArray = np.sort(rows[np.lexsort((rows, turn))[:max_rows]])
    return chosen


def _embedded(points: FloatArray, seed: int) -> FloatArray:
    """Return places ``(N, 2)``; unit vectors' Euclidean distances order as their cosines do."""
    perplexity = min(NEIGHBOURS, (len(points) - 1) / 3)
    found = TSNE(n_components=2, perplexity=perplexity, init="random", random_state=seed)
    places: FloatArray = np.asarray(found.fit_transform(points), np.float64)
    return places


def _scatter(
    axes: Axes, places: FloatArray, busiest: IntArray, owners: IntArray, names: list[str]
) -> None:
    """Draw outsiders below, then the many, then up to eight identities by colour and shape."""
    middle, queries = len(busiest), len(busiest) + len(owners)
    centres, queries_at, outside = places[:middle], places[middle:queries], places[queries:]
    axes.plot(*outside.T, "x", markersize=4, color=GREY, markeredgewidth=0.8, label="outsiders")
    few = min(len(PALETTE), len(busiest))
    others = queries_at[~np.isin(owners, busiest[:few])]
    if len(others):
        axes.plot(*others.T, ".", markersize=4, color=SKY, label="other queries")
    if few < middle:
        rest = centres[few:]
        axes.plot(*rest.T, "+", markersize=6, color=BLACK, label="other centroids")
    outlined = "centroids: large, outlined"
    axes.plot([], [], "o", markersize=11, color="white", markeredgecolor=BLACK, label=outlined)
    for number in range(few):
        own = queries_at[owners == busiest[number]]
        colour, marker = PALETTE[number], MARKERS[number]
        axes.plot(*own.T, marker, markersize=5, color=colour, label=names[number])
    for number in range(few):  # above all queries
        axes.plot(
            *centres[number],
            marker=MARKERS[number],
            markersize=12,
            color=PALETTE[number],
            markeredgecolor=BLACK,
            markeredgewidth=1.4,
        )


def _bars(axes: Axes, histogram: Histogram, genuine: str, other: str) -> None:
    edges = np.array(histogram.edges)
    for shares, colour, hatch, label in (
        (histogram.other, ORANGE, "///", other),
        (histogram.genuine, BLUE, "", genuine),
    ):
        axes.stairs(100 * np.array(shares), edges, fill=True, color=colour, alpha=0.35, hatch=hatch)
        axes.stairs(100 * np.array(shares), edges, color=colour, linewidth=1.4, label=label)
    axes.set_ylabel("share of its kind (%)")


def _threshold(axes: Axes, threshold: float) -> None:
    label = f"threshold {threshold:.3f}"
    axes.axvline(threshold, color=BLACK, linestyle="--", linewidth=1.2, label=label)


def _legend_below(axes: Axes, columns: int = 2) -> None:
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),
        ncols=columns,
        frameon=False,
        fontsize=9,
    )
