"""Every metric loss and miner against its oracle, and what any of them must do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.training.losses import oracles
from training.data.batches import Batch
from training.data.drawing import DrawnPairs, DrawnTriplets
from training.data.pair_labels import PairLabels
from training.losses.metric import MinedLoss, NoLoss, make_loss
from training.recipes.metric_recipe import LossRecipe, MinerRecipe

COUNT, DIM, CLASSES = 8, 5, 4
seeds = st.integers(0, 10_000)
identities = st.lists(st.integers(0, CLASSES - 1), min_size=COUNT, max_size=COUNT)
some = settings(max_examples=25, deadline=None)

#: Every loss with every miner that the recipes know.
LOSSES: list[dict[str, object]] = [
    {"name": "contrastive", "margin": 1.2},
    {"name": "cosine-contrastive", "margin": 0.1},
    {"name": "triplet", "margin": 0.3},
    {"name": "triplet", "margin": 0.3, "distance": "squared-euclidean"},
    {"name": "triplet", "margin": 0.3, "distance": "cosine", "average": "active"},
    {"name": "triplet", "soft": True, "unit": False},
    {"name": "proxy-nca"},
    {"name": "arcface", "scale": 8.0},
]
MINERS: list[dict[str, object]] = [
    {"name": "all"},
    {"name": "batch-hard"},
    {"name": "semi-hard", "margin": 0.5},
    {"name": "hard", "margin": 0.5},
    {"name": "hard-pairs", "same_beyond": 0.5, "others_within": 1.2},
]


def made(loss: dict[str, object], miner: dict[str, object] | None = None) -> MinedLoss | NoLoss:
    torch.manual_seed(0)
    loss_recipe: LossRecipe = TypeAdapter(LossRecipe).validate_python(loss)
    chosen: MinerRecipe = TypeAdapter(MinerRecipe).validate_python(miner or {"name": "all"})
    return make_loss(loss_recipe, DIM, CLASSES, chosen).double()


def batch(seed: int, count: int = COUNT) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, DIM, generator=generator, dtype=torch.float64)


def weight(loss: torch.nn.Module) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    (only,) = loss.parameters()
    return only.detach().numpy()


@given(seeds, identities, st.floats(0.1, 3.0), st.booleans())
@some
def test_contrastive_is_hadsells(seed: int, labels: list[int], margin: float, unit: bool) -> None:
    rows = batch(seed)
    expected = oracles.hadsell(oracles.unit(rows.numpy()) if unit else rows.numpy(), labels, margin)
    loss = made({"name": "contrastive", "margin": margin, "unit": unit})
    assert float(loss(rows, torch.tensor(labels))) == pytest.approx(expected, abs=1e-9)


@given(seeds, st.lists(st.booleans(), min_size=2, max_size=8), st.floats(0.1, 0.9))
@some
def test_drawn_pairs_are_compared_by_their_labels_alone(
    seed: int, same: list[bool], margin: float
) -> None:
    """Every identity is unknown, so that only the labels can tell."""
    assume(sorted(same) != [False, True])  # the library's blind spot, which PairsRecipe refuses
    count = len(same)
    rows = torch.cat([batch(seed, count), batch(seed + 1, count)])
    places = torch.arange(2 * count)
    drawn = Batch.of_pairs(
        DrawnPairs(places[:count], places[count:], PairLabels(torch.tensor(same)))
    )
    unknown = torch.full((2 * count,), -1)
    one, two = (oracles.unit(half.numpy()) for half in rows.split(count))
    pairs = list(zip(one, two, same, strict=True))
    apart = [(oracles.distance(x, y), alike) for x, y, alike in pairs]
    expected = oracles.mean([0.5 * d**2 for d, alike in apart if alike]) + oracles.mean(
        [0.5 * max(0.0, margin - d) ** 2 for d, alike in apart if not alike]
    )
    loss = made({"name": "contrastive", "margin": margin})
    assert float(loss(rows, unknown, drawn.drawn)) == pytest.approx(expected, abs=1e-9)
    cosines = [(float(x @ y), alike) for x, y, alike in pairs]
    expected = oracles.mean([1 - c for c, alike in cosines if alike]) + oracles.mean(
        [max(0.0, c - margin) for c, alike in cosines if not alike]
    )
    loss = made({"name": "cosine-contrastive", "margin": margin})
    assert float(loss(rows, unknown, drawn.drawn)) == pytest.approx(expected, abs=1e-9)


@given(seeds, st.integers(1, 6), st.floats(0.05, 1.0))
@some
def test_drawn_triplets_are_compared_and_no_others(seed: int, count: int, margin: float) -> None:
    rows, places = batch(seed, 3 * count), torch.arange(3 * count).view(3, count)
    drawn = Batch.of_triplets(DrawnTriplets(*places))
    chosen = ((n, n + count, n + 2 * count) for n in range(count))
    terms = oracles.triplet_terms(oracles.unit(rows.numpy()), chosen, margin)
    loss = made({"name": "triplet", "margin": margin})
    unknown = torch.full((3 * count,), -1)
    value = float(loss(rows, unknown, drawn.drawn))
    assert value == pytest.approx(oracles.mean(terms), abs=1e-9)


@given(seeds, identities, st.floats(-0.5, 0.9))
@some
def test_cosine_contrastive_is_its_formula(seed: int, labels: list[int], margin: float) -> None:
    rows = batch(seed)
    loss = made({"name": "cosine-contrastive", "margin": margin})
    expected = oracles.cosine_contrastive(rows.numpy(), labels, margin)
    assert float(loss(rows, torch.tensor(labels))) == pytest.approx(expected, abs=1e-9)


@given(seeds, identities, st.floats(0.05, 1.0), st.sampled_from(["all", "batch-hard", "semi-hard"]))
@settings(max_examples=60, deadline=None)
def test_triplets_are_those_of_the_papers(
    seed: int, labels: list[int], margin: float, miner: str
) -> None:
    rows = batch(seed)
    u = oracles.unit(rows.numpy())
    chosen = {
        "all": oracles.all_triplets(labels),
        "batch-hard": oracles.batch_hard(u, labels),
        "semi-hard": oracles.semi_hard(u, labels, margin),
    }[miner]
    terms = oracles.triplet_terms(u, chosen, margin)
    active = [term for term in terms if term > 0]
    settings_of_miner = {"margin": margin} if miner == "semi-hard" else {}
    for average, expected in (("all", oracles.mean(terms)), ("active", oracles.mean(active))):
        loss = made(
            {"name": "triplet", "margin": margin, "average": average},
            {"name": miner, **settings_of_miner},
        )
        assert float(loss(rows, torch.tensor(labels))) == pytest.approx(expected, abs=1e-9)


@given(seeds, identities, st.floats(1.0, 20.0))
@some
def test_proxy_nca_is_its_formula(seed: int, labels: list[int], scale: float) -> None:
    rows = batch(seed)
    loss = made({"name": "proxy-nca", "scale": scale})
    expected = oracles.proxy_nca(rows.numpy(), labels, weight(loss), scale)
    assert loss(rows, torch.tensor(labels)).item() == pytest.approx(expected, abs=1e-8)


@given(seeds, identities, st.floats(0.0, 60.0), st.floats(1.0, 30.0))
@settings(max_examples=50, deadline=None)
def test_arcface_is_its_formula(seed: int, labels: list[int], margin: float, scale: float) -> None:
    rows = batch(seed)
    loss = made({"name": "arcface", "margin_degrees": margin, "scale": scale})
    expected = oracles.arcface(rows.numpy(), labels, weight(loss).T, margin, scale)
    assert loss(rows, torch.tensor(labels)).item() == pytest.approx(expected, abs=1e-8)


def test_arcface_has_a_finite_slope_in_its_classes_own_direction() -> None:
    loss = made({"name": "arcface"}).float()
    own = torch.tensor(weight(loss).T, dtype=torch.float32).requires_grad_()
    loss(own, torch.arange(CLASSES)).backward()
    assert own.grad is not None
    assert bool(own.grad.isfinite().all())


@pytest.mark.parametrize("recipe", LOSSES, ids=lambda recipe: str([*recipe.values()]))
@pytest.mark.parametrize("miner", MINERS, ids=lambda miner: str(miner["name"]))
@pytest.mark.parametrize(
    "labels",
    [[2] * 4, [0, 1, 2, 3], [1], [-1, -1, -1], [-1, 2], []],
    ids=["all the same", "all different", "one", "unknown", "one known", "none"],
)
def test_a_degenerate_batch_gives_a_finite_differentiable_number(
    recipe: dict[str, object], miner: dict[str, object], labels: list[int]
) -> None:
    loss = made(recipe, miner)
    rows = batch(3, len(labels)).requires_grad_()
    value = loss(rows, torch.tensor(labels, dtype=torch.int64))
    value.backward()
    assert value.shape == ()
    assert rows.grad is not None
    assert bool(rows.grad.isfinite().all())
    nobody_known = all(label == -1 for label in labels)
    if recipe["name"] == "triplet" or nobody_known:  # none of these batches holds a triplet
        assert float(value.detach()) == 0.0


@pytest.mark.parametrize("recipe", LOSSES, ids=lambda recipe: str([*recipe.values()]))
def test_equal_images_of_all_identities_give_a_finite_gradient(recipe: dict[str, object]) -> None:
    loss = made(recipe)
    rows = batch(1, 1).repeat(6, 1).requires_grad_()
    loss(rows, torch.tensor([0, 0, 1, 1, 2, 2])).backward()
    assert rows.grad is not None
    assert bool(rows.grad.isfinite().all())


@pytest.mark.parametrize("recipe", LOSSES, ids=lambda recipe: str([*recipe.values()]))
@pytest.mark.parametrize("miner", MINERS, ids=lambda miner: str(miner["name"]))
def test_neither_order_nor_unknown_images_change_a_loss(
    recipe: dict[str, object], miner: dict[str, object]
) -> None:
    loss = made(recipe, miner)
    rows, labels = batch(5), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    rows_before, labels_before = rows.clone(), labels.clone()
    value = loss(rows, labels).item()
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    assert loss(rows[order], labels[order]).item() == pytest.approx(value, abs=1e-9)
    more, unknown = torch.cat([rows, batch(6, 3)]), torch.tensor([-1, -1, -1])
    assert loss(more, torch.cat([labels, unknown])).item() == pytest.approx(value, abs=1e-9)
    assert torch.equal(rows, rows_before)
    assert torch.equal(labels, labels_before)


@pytest.mark.parametrize("recipe", LOSSES, ids=lambda recipe: str([*recipe.values()]))
def test_a_step_brings_the_same_nearer_and_others_apart(recipe: dict[str, object]) -> None:
    """The test that a loss with its labels the wrong way round cannot pass."""
    loss = made(recipe)
    rows, labels = batch(7).requires_grad_(), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    optimiser = torch.optim.SGD([rows, *loss.parameters()], lr=0.2)

    def apart() -> tuple[float, float]:
        u = torch.nn.functional.normalize(rows.detach(), dim=1)
        distances = torch.cdist(u, u)
        same = labels[:, None] == labels[None, :]
        off = ~torch.eye(len(u), dtype=torch.bool)
        return float(distances[same & off].mean()), float(distances[~same].mean())

    before = apart()
    for _ in range(60):
        optimiser.zero_grad()
        loss(rows, labels).backward()
        optimiser.step()
    after = apart()
    assert after[0] < before[0]
    assert after[1] > before[1]


def test_the_losses_with_classes_hand_their_weights_to_the_optimiser() -> None:
    assert [p.shape for p in made({"name": "proxy-nca"}).parameters()] == [(CLASSES, DIM)]
    assert [p.shape for p in made({"name": "arcface"}).parameters()] == [(DIM, CLASSES)]
    assert not [*made({"name": "triplet"}).parameters()]
    assert not [*made({"name": "none"}).parameters()]


def test_equal_rows_of_a_large_batch_are_exactly_equal() -> None:
    rows = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
    rows[40] = rows[3]
    labels = torch.arange(64)
    labels[40] = 3
    loss = make_loss(TypeAdapter(LossRecipe).validate_python({"name": "contrastive"}), 16, 64)
    alone = make_loss(
        TypeAdapter(LossRecipe).validate_python({"name": "contrastive", "margin": 1e-6}), 16, 64
    )
    assert float(alone(rows, labels)) == 0.0
    assert float(loss(rows, labels)) > 0.0


def test_half_precision_embeddings_are_measured_in_full() -> None:
    rows = batch(2).to(torch.bfloat16)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    loss = made({"name": "triplet"})
    assert loss(rows, labels).dtype == torch.float32
    assert float(loss(rows, labels)) == pytest.approx(float(loss(rows.float(), labels)))
