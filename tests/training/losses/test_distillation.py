"""Every loss against a slow oracle written from its formula."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.losses.distillation import cosine_distillation, similarity_distillation
from training.losses.identity import group_repulsion, supervised_contrastive

seeds = st.integers(0, 10_000)


def random_batch(seed: int, count: int = 8, dim: int = 5) -> torch.Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)).double()


def unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    scaled: npt.NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_cosine_distillation_is_its_formula(seed: int) -> None:
    one, two = random_batch(seed), random_batch(seed + 1)
    expected = np.mean(1 - (unit(one.numpy()) * unit(two.numpy())).sum(axis=1))
    assert float(cosine_distillation(one, two)) == pytest.approx(expected)


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_similarity_distillation_leaves_the_diagonal_out(seed: int) -> None:
    batch = random_batch(seed)
    target = random_batch(seed + 1, 8, 8)
    u = unit(batch.numpy())
    errors = [
        (float(u[i] @ u[j]) - float(target[i, j])) ** 2
        for i in range(8)
        for j in range(8)
        if i != j
    ]
    assert float(similarity_distillation(batch, target)) == pytest.approx(np.mean(errors))


@given(seeds, st.lists(st.integers(-1, 3), min_size=8, max_size=8), st.floats(0.05, 1.0))
@settings(max_examples=50, deadline=None)
def test_supervised_contrastive_is_equation_two_of_khosla(
    seed: int, identities: list[int], temperature: float
) -> None:
    batch = random_batch(seed)
    known = [n for n in range(8) if identities[n] != -1]
    u = unit(batch.numpy())
    per_anchor = []
    for i in known:
        positives = [p for p in known if p != i and identities[p] == identities[i]]
        if not positives:
            continue
        denominator = sum(math.exp(float(u[i] @ u[a]) / temperature) for a in known if a != i)
        terms = [
            math.log(math.exp(float(u[i] @ u[p]) / temperature) / denominator) for p in positives
        ]
        per_anchor.append(-sum(terms) / len(positives))
    expected = float(np.mean(per_anchor)) if per_anchor else 0.0
    loss = supervised_contrastive(batch, torch.tensor(identities), temperature)
    assert float(loss) == pytest.approx(expected, abs=1e-9)


@given(seeds, st.lists(st.integers(-1, 2), min_size=8, max_size=8), st.floats(-0.5, 0.9))
@settings(max_examples=50, deadline=None)
def test_group_repulsion_is_its_formula(seed: int, groups: list[int], margin: float) -> None:
    batch = random_batch(seed)
    u = unit(batch.numpy())
    excess = [
        max(0.0, float(u[i] @ u[j]) - margin) ** 2
        for i in range(8)
        for j in range(i + 1, 8)
        if groups[i] == groups[j] != -1
    ]
    expected = float(np.mean(excess)) if excess else 0.0
    assert float(group_repulsion(batch, torch.tensor(groups), margin)) == pytest.approx(expected)


@pytest.mark.parametrize("labels", [[-1, -1, -1], [0, 1, 2]])
def test_a_batch_without_pairs_gives_a_differentiable_zero(labels: list[int]) -> None:
    batch = random_batch(3, 3).requires_grad_()
    loss = supervised_contrastive(batch, torch.tensor(labels), 0.1) + group_repulsion(
        batch, torch.tensor(labels), 0.1
    )
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert batch.grad is not None
    assert torch.equal(batch.grad, torch.zeros_like(batch))


def test_losses_do_not_depend_on_the_order_of_the_batch() -> None:
    batch, labels = random_batch(5), torch.tensor([0, 0, 1, 1, 2, 2, -1, 3])
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    shuffled, shuffled_labels = batch[order], labels[order]
    assert float(supervised_contrastive(shuffled, shuffled_labels, 0.2)) == pytest.approx(
        float(supervised_contrastive(batch, labels, 0.2))
    )
    assert float(group_repulsion(shuffled, shuffled_labels, 0.0)) == pytest.approx(
        float(group_repulsion(batch, labels, 0.0))
    )


def test_descending_brings_the_same_together_and_others_apart() -> None:
    batch = random_batch(7, 6).requires_grad_()
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    optimiser = torch.optim.Adam([batch], lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        supervised_contrastive(batch, labels, 0.2).backward()
        optimiser.step()
    u = torch.nn.functional.normalize(batch.detach(), dim=1)
    cosines = u @ u.T
    assert float(cosines[:3, :3].min()) > 0.6
    assert float(cosines[:3, 3:].max()) < -0.3
