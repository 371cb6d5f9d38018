"""What a run is made of: data, batches, averages, augmentation, recall."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tests.training.engines.small_runs import CPU, made_data, made_recipe
from training.data.batches import ShuffledBatches
from training.data.learning_data import LearningData, check_learnable, without_single
from training.engines.embedding import embed_images
from training.engines.optimisers import MovingAverage
from training.foundation.environment import fingerprint
from training.foundation.errors import DataError
from training.metrics.similarity import recall_at_one


def labelled(labels: list[int], names: tuple[str, ...] = ()) -> LearningData:
    images = torch.zeros(len(labels), 3, 4, 4, dtype=torch.uint8)
    keys = tuple(str(row) for row in range(len(labels)))
    return LearningData(images, torch.tensor(labels, dtype=torch.int64), keys, names)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0], (), "1 images are too few"),
        ([0, 0, 0, -1], (), "two identities at least"),
        ([0, 0, 2, 2], ("ann", "bob", "eve"), "without any image: bob"),
        ([0, 0, 1, 1], ("ann", "bob", "eve"), "without any image: eve"),
        ([0, 0, 1, 2, 2], ("ann", "bob", "eve"), "one each have: bob .*drop_single"),
        ([0, 0, 1, 1], (), "4 identities cannot be drawn from 2"),
    ],
)
def test_data_that_cannot_teach_is_refused_before_the_first_batch(
    labels: list[int], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        check_learnable(labelled(labels, names), made_recipe())


def test_losses_with_classes_need_no_pairs_and_a_teacher_no_identities() -> None:
    arcface = made_recipe(
        loss={"name": "arcface"}, sampler={"name": "shuffled"}, miner={"name": "all"}
    )
    check_learnable(labelled([0, 1, 2]), arcface)
    alone = made_recipe(
        loss={"name": "none"}, teacher={"path": "teacher.pt"}, miner={"name": "all"}
    )
    check_learnable(labelled([-1, -1]), alone)


def test_single_images_can_be_left_out() -> None:
    kept = without_single(labelled([0, 0, 1, 2, 2, -1], ("ann", "bob", "eve")))
    assert kept.labels.tolist() == [0, 0, 1, 1, -1]
    assert kept.label_names == ("ann", "eve")
    assert kept.keys == ("0", "1", "3", "4", "5")


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="must be uint8"):
        LearningData(torch.zeros(2, 3, 4, 4), torch.zeros(2, dtype=torch.int64), ("a", "b"))
    with pytest.raises(DataError, match="2 images and labels"):
        LearningData(
            torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ("a",)
        )
    with pytest.raises(DataError, match="2 images and 1 keys"):
        LearningData(
            torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), ("a",)
        )


def test_shuffled_batches_show_everything_once_a_round_and_go_on_where_they_were() -> None:
    batches = ShuffledBatches(10, 4, seed=1)
    drawn = [batches.draw().rows for _ in range(5)]
    rounds = torch.cat(drawn).view(2, 10)
    assert [sorted(order.tolist()) for order in rounds] == [list(range(10))] * 2
    assert not torch.equal(rounds[0], rounds[1])
    other = ShuffledBatches(10, 4, seed=1)
    other.restore(batches.state())
    assert torch.equal(other.draw().rows, batches.draw().rows)
    assert len(ShuffledBatches(3, 8, seed=1).draw().rows) == 3
    assert batches.draw().drawn is None


def test_a_moving_average_follows_weights_and_copies_counters() -> None:
    network = nn.BatchNorm1d(1)
    average = MovingAverage(network, 0.5)
    expected = 1.0
    for step in range(1, 6):
        with torch.no_grad():
            network.weight.fill_(float(step))
        network(torch.randn(4, 1))
        average.update(network)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert average.network.get_parameter("weight").item() == pytest.approx(expected)
    assert torch.equal(
        average.network.get_buffer("running_mean"), network.get_buffer("running_mean")
    )
    assert average.network.get_buffer("num_batches_tracked").item() == 5
    assert not average.network.training


def test_recall_at_one_is_what_a_count_by_hand_gives() -> None:
    generator = torch.Generator().manual_seed(4)
    embeddings = nn.functional.normalize(torch.randn(30, 4, generator=generator), dim=1)
    labels = torch.randint(-1, 6, (30,), generator=generator)
    labels[0] = 77  # one image: it asks nothing
    right = []
    for row in range(30):
        others = [n for n in range(30) if n != row]
        if labels[row] == -1 or not any(labels[n] == labels[row] for n in others):
            continue
        nearest = max(others, key=lambda n: float(embeddings[row] @ embeddings[n]))
        right.append(bool(labels[nearest] == labels[row]))
    assert recall_at_one(embeddings, labels) == pytest.approx(sum(right) / len(right))
    assert math.isnan(recall_at_one(embeddings[:2], torch.tensor([0, 1])))


def test_embedding_leaves_a_network_in_its_mode() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 3)).train()
    images = torch.randint(0, 255, (5, 3, 4, 4), dtype=torch.uint8)
    one = embed_images(network, images, CPU, batch_size=2)
    assert network.training
    assert torch.allclose(one, embed_images(network, images, CPU))
    assert torch.allclose(one.norm(dim=1), torch.ones(5))


def test_a_fingerprint_is_of_pixels_and_identities() -> None:
    data = made_data()
    known = fingerprint(data.images, data.labels)
    assert fingerprint(data.images.clone(), data.labels.clone()) == known
    assert fingerprint(data.images, data.labels.flip(0)) != known
    changed = data.images.clone()
    changed[0, 0, 0, 0] += 1
    assert fingerprint(changed, data.labels) != known
