from __future__ import annotations

import numpy as np
import pytest

from tests.training.metrics.made_tables import made_table
from training.metrics.table_parts import known_part, label_name, part_of, split_open_set, thinned


def test_a_part_keeps_keys_numbers_and_names_together() -> None:
    table = made_table([2, 3])
    part = part_of(table, np.array([3, 0]))
    assert part.keys == (table.keys[3], table.keys[0])
    assert label_name(part, 0) == table.label_names[table.labels[3]]


def test_unknown_rows_have_no_name_and_are_left_out_of_the_known() -> None:
    table = made_table([2, 3], unknown=4)
    assert len(known_part(table)) == 5
    assert label_name(table, int(np.nonzero(table.labels < 0)[0][0])) is None


def test_thinning_takes_images_of_large_identities_before_it_takes_identities() -> None:
    table = made_table([2, 2, 40, 30])
    assert thinned(table, 100, 0) is table
    thin = thinned(table, 24, 0)
    assert np.bincount(thin.labels).tolist() == [2, 2, 10, 10]
    assert list(thin.keys) == [key for key in table.keys if key in set(thin.keys)]


def test_thinning_leaves_pairs_even_where_identities_must_go() -> None:
    thin = thinned(made_table([5] * 10), 7, 0)
    assert len(thin) == 6
    assert set(np.unique(thin.labels, return_counts=True)[1].tolist()) == {2}


def test_outsiders_are_those_who_cannot_be_enrolled_and_a_share_of_the_rest() -> None:
    table = made_table([1, 1, 4, 4, 4, 4, 4, 4, 4, 4], unknown=3)
    parts = split_open_set(table, 2, seed=1, outsider_share=0.4)
    outside = set(table.labels[parts.outsiders].tolist())
    inside = set(table.labels[parts.enrollment.enrolled.ravel()].tolist())
    assert {0, 1} < outside
    assert len(outside) == 4
    assert not outside & inside
    assert outside | inside == set(range(10))
    assert parts.enrollment.enrolled.shape == (6, 2)
    owner_label = table.labels[parts.enrollment.enrolled[parts.enrollment.owners, 0]]
    assert (table.labels[parts.enrollment.probes] == owner_label).all()
    rows = {*parts.outsiders, *parts.enrollment.probes, *parts.enrollment.enrolled.ravel()}
    assert len(rows) == len(table) - 3


def test_an_open_set_needs_somebody_inside_and_somebody_outside() -> None:
    with pytest.raises(ValueError, match="too few identities"):
        split_open_set(made_table([2, 2]), 2, seed=0)
    with pytest.raises(ValueError, match="too few identities"):
        split_open_set(made_table([9]), 2, seed=0)
