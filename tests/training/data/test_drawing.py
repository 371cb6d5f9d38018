from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.data.crops import NO_LABEL
from training.data.drawing import PairDrawer, PKBatchSampler, TripletDrawer
from training.foundation.errors import DataError

LABELS = torch.tensor([3, 1, NO_LABEL, 3, 7, 1, 3, 9, 9, 9, 9, NO_LABEL])


def test_half_of_the_pairs_are_the_same_and_the_labels_are_true() -> None:
    pairs = PairDrawer(LABELS, seed=1).draw(2001)
    assert int(pairs.labels.same.sum()) == 1000
    assert torch.equal(LABELS[pairs.first] == LABELS[pairs.second], pairs.labels.same)


def test_nobody_is_paired_with_himself_or_with_the_unknown() -> None:
    pairs = PairDrawer(LABELS, seed=2).draw(2000)
    assert not (pairs.first == pairs.second).any()
    assert not (LABELS[pairs.first] == NO_LABEL).any()
    assert not (LABELS[pairs.second] == NO_LABEL).any()


def test_every_possible_pair_is_drawn_about_equally_often() -> None:
    """Compare with all ordered pairs, listed by hand: each same one of an anchor as likely."""
    pairs = PairDrawer(LABELS, seed=3).draw(60_000)
    drawn = Counter(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    known = [row for row in range(len(LABELS)) if LABELS[row] != NO_LABEL]
    paired = [row for row in known if int((LABELS[row] == LABELS).sum()) > 1]
    expected: dict[tuple[int, int], float] = {}
    for row in known:
        partners = [other for other in known if other != row and LABELS[other] == LABELS[row]]
        others = [other for other in known if LABELS[other] != LABELS[row]]
        expected |= {(row, other): 30_000 / len(paired) / len(partners) for other in partners}
        expected |= {(row, other): 30_000 / len(known) / len(others) for other in others}
    assert set(drawn) == set(expected)
    for pair, count in expected.items():
        assert abs(drawn[pair] - count) < 5 * count**0.5


def test_pairs_come_in_random_order() -> None:
    same = PairDrawer(LABELS, seed=4).draw(1000).labels.same
    assert 200 < int(same[:500].sum()) < 300


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=30), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_triplets_hold_whatever_the_labels(listed: list[int], seed: int) -> None:
    labels = torch.tensor(listed)
    counts = Counter(label for label in listed if label != NO_LABEL)
    if len(counts) < 2 or max(counts.values()) < 2:
        with pytest.raises(DataError):
            TripletDrawer(labels, seed)
        return
    drawn = TripletDrawer(labels, seed).draw(50)
    assert torch.equal(labels[drawn.anchor], labels[drawn.positive])
    assert not (drawn.anchor == drawn.positive).any()
    assert not (labels[drawn.anchor] == labels[drawn.negative]).any()
    assert not (labels[drawn.negative] == NO_LABEL).any()


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ([0, 1, 2], "no identity has two images"),
        ([NO_LABEL, NO_LABEL], "no identity has two images"),
        ([0, 0, NO_LABEL], "only one identity"),
    ],
)
def test_impossible_draws_are_told_before_the_first(labels: list[int], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        PairDrawer(torch.tensor(labels), seed=0)


def test_batches_hold_p_identities_with_k_images_each() -> None:
    sampler = PKBatchSampler(LABELS, 3, 2, seed=5)
    for batch in sampler:
        labels = LABELS[batch].view(3, 2)
        assert torch.equal(labels[:, 0], labels[:, 1])
        assert len(labels[:, 0].unique()) == 3
        assert len(batch.unique()) == 6


def test_few_images_are_repeated_evenly() -> None:
    sampler = PKBatchSampler(LABELS, 3, 5, seed=6)
    for _ in range(20):
        for rows in sampler.draw().view(3, 5):
            repeats = Counter(rows.tolist())
            available = int((LABELS[rows[0]] == LABELS).sum())
            assert len(repeats) == min(5, available)
            assert max(repeats.values()) - min(repeats.values()) <= 1


def test_identities_with_few_images_can_be_left_out() -> None:
    sampler = PKBatchSampler(LABELS, 2, 3, seed=7, few="leave_out")
    drawn = torch.cat([sampler.draw() for _ in range(50)])
    assert set(LABELS[drawn].tolist()) == {3, 9}
    with pytest.raises(DataError, match="2 identities have 3 images or more, a batch wants 3"):
        PKBatchSampler(LABELS, 3, 3, seed=7, few="leave_out")


def test_one_image_is_never_its_own_positive() -> None:
    drawn = torch.cat(list(PKBatchSampler(LABELS, 2, 2, seed=8)))
    assert 7 not in LABELS[drawn]
    with pytest.raises(DataError, match="3 identities have 2 images or more, a batch wants 4"):
        PKBatchSampler(LABELS, 4, 2, seed=8)


@pytest.mark.parametrize(("identities", "images"), [(1, 4), (4, 1)])
def test_a_batch_without_pairs_is_refused(identities: int, images: int) -> None:
    with pytest.raises(DataError, match="two identities with two images"):
        PKBatchSampler(LABELS, identities, images, seed=0)


def test_an_epoch_shows_about_as_many_images_as_there_are() -> None:
    labels = torch.arange(10).repeat_interleave(12)
    sampler = PKBatchSampler(labels, 4, 3, seed=9)
    assert len(sampler) == len(list(sampler)) == 10


def _draws(seed: int) -> list[Tensor]:
    pairs, triplets = PairDrawer(LABELS, seed), TripletDrawer(LABELS, seed)
    batches = PKBatchSampler(LABELS, 2, 2, seed)
    drawn = [pairs.draw(64).first, triplets.draw(64).negative, batches.draw()]
    states = [pairs.state(), triplets.state(), batches.state()]
    later = [pairs.draw(64).second, triplets.draw(64).positive, batches.draw()]
    for drawer, state in zip((pairs, triplets, batches), states, strict=True):
        drawer.restore(state)
    again = [pairs.draw(64).second, triplets.draw(64).positive, batches.draw()]
    assert all(torch.equal(one, two) for one, two in zip(later, again, strict=True))
    return drawn + later


def test_a_seed_decides_everything_and_a_state_resumes() -> None:
    first, same, other = _draws(11), _draws(11), _draws(12)
    assert all(torch.equal(one, two) for one, two in zip(first, same, strict=True))
    assert not all(torch.equal(one, two) for one, two in zip(first, other, strict=True))
