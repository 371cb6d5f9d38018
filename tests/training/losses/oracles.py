"""Every metric loss again, slowly, in plain NumPy and written from its paper."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float64]
Triplet = tuple[int, int, int]


def unit(rows: Rows) -> Rows:
    scaled: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def distance(one: Rows, other: Rows) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def pairs(labels: Sequence[int], *, same: bool) -> list[tuple[int, int]]:
    return [
        (i, j)
        for i, j in itertools.permutations(range(len(labels)), 2)
        if (labels[i] == labels[j]) == same
    ]


def hadsell(rows: Rows, labels: Sequence[int], margin: float) -> float:
    near = [0.5 * distance(rows[i], rows[j]) ** 2 for i, j in pairs(labels, same=True)]
    far = [
        0.5 * max(0.0, margin - distance(rows[i], rows[j])) ** 2
        for i, j in pairs(labels, same=False)
    ]
    return mean(near) + mean(far)


def cosine_contrastive(rows: Rows, labels: Sequence[int], margin: float) -> float:
    u = unit(rows)
    near = [1 - float(u[i] @ u[j]) for i, j in pairs(labels, same=True)]
    far = [max(0.0, float(u[i] @ u[j]) - margin) for i, j in pairs(labels, same=False)]
    return mean(near) + mean(far)


def all_triplets(labels: Sequence[int]) -> Iterator[Triplet]:
    for a, p in pairs(labels, same=True):
        for n in range(len(labels)):
            if labels[n] != labels[a]:
                yield a, p, n


def batch_hard(rows: Rows, labels: Sequence[int]) -> Iterator[Triplet]:
    """Equation 5 of Hermans et al.: one triplet for each anchor that has both."""
    for a in range(len(labels)):
        same = [j for j in range(len(labels)) if j != a and labels[j] == labels[a]]
        others = [j for j in range(len(labels)) if labels[j] != labels[a]]
        if same and others:
            yield (
                a,
                max(same, key=lambda j: distance(rows[a], rows[j])),
                min(others, key=lambda j: distance(rows[a], rows[j])),
            )


def semi_hard(rows: Rows, labels: Sequence[int], margin: float) -> Iterator[Triplet]:
    """Equation 4 of Schroff et al., and within the margin."""
    for a, p, n in all_triplets(labels):
        gap = distance(rows[a], rows[n]) - distance(rows[a], rows[p])
        if 0 < gap <= margin:
            yield a, p, n


def triplet_terms(rows: Rows, chosen: Iterator[Triplet], margin: float) -> list[float]:
    return [
        max(0.0, distance(rows[a], rows[p]) - distance(rows[a], rows[n]) + margin)
        for a, p, n in chosen
    ]


def proxy_nca(rows: Rows, labels: Sequence[int], proxies: Rows, scale: float) -> float:
    """Equation 6 of Proxy-NCA++."""
    terms = []
    for x, label in zip(unit(rows), labels, strict=True):
        weights = [math.exp(-scale * distance(x, p) ** 2) for p in unit(proxies)]
        terms.append(-math.log(weights[label] / sum(weights)))
    return mean(terms)


def arcface(
    rows: Rows, labels: Sequence[int], directions: Rows, margin_degrees: float, scale: float
) -> float:
    """Equation 3 of Deng et al.; beyond pi - margin as the authors' code has it."""
    margin = math.radians(margin_degrees)
    terms = []
    for x, label in zip(unit(rows), labels, strict=True):
        cosines = [float(x @ w) for w in unit(directions)]
        angle = math.acos(cosines[label])
        beyond = angle > math.pi - margin
        cosines[label] = (
            cosines[label] - margin * math.sin(margin) if beyond else math.cos(angle + margin)
        )
        weights = [math.exp(scale * cosine) for cosine in cosines]
        terms.append(-math.log(weights[label] / sum(weights)))
    return mean(terms)
