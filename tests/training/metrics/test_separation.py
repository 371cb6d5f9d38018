"""AUC and EER of all pairs against bootstraps of every single pair, and collapsed tables."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.metrics.made_tables import made_table
from training.metrics.embedding_table import EmbeddingTable
from training.metrics.estimates import Estimate
from training.metrics.intervals import bootstrap_statistic
from training.metrics.pairs import same_and_different
from training.metrics.ranked_pairs import RankedPairs
from training.metrics.separation import collapse_warning, measure_spread, separation_of


def pair_by_pair(table: EmbeddingTable) -> dict[str, Estimate]:
    """The figures with every pair kept and weighed by itself."""
    one, other = np.triu_indices(len(table), 1)
    rows = table.embeddings.astype(np.float64)
    similarities = np.einsum("kd,kd->k", rows[one], rows[other])
    ranks = RankedPairs(similarities, table.labels[one] == table.labels[other])
    shown = (table.labels[one], table.labels[other])
    return {
        "AUC": bootstrap_statistic(ranks.area_under_curve, *shown),
        "EER": bootstrap_statistic(ranks.equal_error_rate, *shown),
    }


@pytest.mark.parametrize(("photos", "noise"), [([5] * 20, 0.8), ([2] * 90, 0.7)])
def test_intervals_are_those_of_every_pair_weighed_by_itself(
    photos: list[int], noise: float
) -> None:
    """Twenty identities exactly, ninety to the first order."""
    table = made_table(photos, noise=noise)
    for name, found in separation_of([(table.embeddings, table.labels)]).items():
        slow = pair_by_pair(table)[name]
        assert found.trials == slow.trials == len(table) * (len(table) - 1) // 2
        assert found.value == pytest.approx(slow.value, abs=2e-4)
        width = slow.high - slow.low
        assert found.low == pytest.approx(slow.low, abs=0.15 * width)
        assert found.high == pytest.approx(slow.high, abs=0.15 * width)


def test_several_seeds_are_averaged_and_resampled_together() -> None:
    tables = [made_table([4] * 12, noise=noise) for noise in (0.5, 1.0)]
    single = [separation_of([(table.embeddings, table.labels)]) for table in tables]
    labels = tables[0].labels
    both = separation_of([(table.embeddings, labels) for table in tables])
    for name in ("AUC", "EER"):
        mean = np.mean([one[name].value for one in single])
        assert both[name].value == pytest.approx(mean)
        assert both[name].low <= mean <= both[name].high


def test_a_table_of_one_direction_is_called_collapsed_and_a_narrow_one_is_not() -> None:
    for noise, expected in ((1e-4, True), (0.1, False)):
        random = np.random.default_rng(0)
        rows = np.ones((40, 8)) + noise * random.normal(size=(40, 8))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        same, _, different = same_and_different(rows.astype(np.float32), np.arange(40) // 4)
        spread = measure_spread(same, different)
        assert spread.different > 0.95
        assert spread.collapsed == expected
    assert "every image has the same embedding" in collapse_warning(spread)


def test_a_collapsed_table_has_intervals_all_the_same() -> None:
    rows = np.tile(np.eye(8, dtype=np.float32)[0], (12, 1))
    found = separation_of([(rows, np.arange(12) // 3)])
    assert found["AUC"].value == found["EER"].value == 0.5
