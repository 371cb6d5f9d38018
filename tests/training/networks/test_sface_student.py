"""SFace as a student: early layers and statistics stay, the rest learns."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from tests.training.made_data import tiny_recipe
from training.networks.published.sface import EMBEDDING_DIM, read_sface
from training.networks.sface_student import SIDE, SFaceNetwork
from training.networks.students import make_student
from training.recipes.recipe import SFaceRecipe, load_recipe


def chain() -> nn.Sequential:
    """Return a chain in the shape of SFace's: maps of 56, 28 and 14 px, then a vector."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    channels = 3
    for outside in (4, 6, 8):
        layers += [
            nn.Conv2d(channels, outside, 3, 2, 1),
            nn.BatchNorm2d(outside),
            nn.PReLU(outside),
        ]
        channels = outside
    flat = [nn.Flatten(), nn.Linear(channels * 14 * 14, 5)]
    return nn.Sequential(*layers, *flat).eval().requires_grad_(False)


@pytest.mark.parametrize(("side", "learning"), [(14, {6, 7, 8, 10}), (7, {10})])
def test_only_layers_of_small_maps_learn(side: int, learning: set[int]) -> None:
    network = SFaceNetwork(chain(), 6, side)
    learns = {
        int(name.split(".")[0])
        for name, weight in network.trunk.named_parameters()
        if weight.requires_grad
    }
    assert learns == learning


def test_a_step_moves_what_learns_and_nothing_else() -> None:
    network = SFaceNetwork(chain(), 6, 14).train()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.rand(4, 3, SIDE, SIDE)).square().sum().backward()
    optimiser.step()
    moved = {
        name
        for name, weight in network.state_dict().items()
        if not torch.equal(weight, before[name])
    }
    assert {"trunk.6.weight", "trunk.10.weight", "project.weight"} <= moved
    # The statistics of the published pictures stay, above and below.
    assert not any(name.endswith(("running_mean", "running_var")) for name in moved)
    learning = ("trunk.6.", "trunk.7.", "trunk.8.", "trunk.10.", "project.")
    assert all(name.startswith(learning) for name in moved)


@pytest.mark.slow
def test_the_recipe_starts_from_the_wheels_weights() -> None:
    recipe = load_recipe("sface-open").student
    assert isinstance(recipe, SFaceRecipe)
    network = make_student(recipe).eval()
    assert isinstance(network, SFaceNetwork)
    faces = torch.rand(2, 3, SIDE, SIDE) * 255
    with torch.inference_mode():
        assert torch.equal(network.features(faces), read_sface()(faces))
        assert network(faces).shape == (2, recipe.embedding_dim)
    # Most of its weights learn, though most of its layers do not.
    learning = sum(w.numel() for w in network.trunk.parameters() if w.requires_grad)
    assert learning > 0.9 * sum(w.numel() for w in network.trunk.parameters())
    assert network.project.in_features == EMBEDDING_DIM


def test_it_takes_pictures_of_one_size() -> None:
    correction = {"steps": 3, "batch_size": 16, "embedding_dim": 12}
    with pytest.raises(ValidationError, match="112 px only"):
        tiny_recipe(student={"kind": "sface", "embedding_dim": 12}, correction=correction)
