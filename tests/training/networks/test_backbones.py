from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from training.foundation.errors import CheckpointError
from training.networks.backbones import Backbone, make_backbone
from training.networks.student import StudentNetwork
from training.recipes.metric_recipe import BackboneRecipe

TINY = {"name": "student", "widths": (4, 4, 8, 8), "blocks": (1, 1, 1, 1)}


def made(**settings: object) -> Backbone:
    torch.manual_seed(0)
    return make_backbone(BackboneRecipe.model_validate({"embedding_dim": 12, **settings}))


@pytest.mark.parametrize(
    ("settings", "side"),
    [
        ({"name": "small-cnn"}, 28),
        (TINY, 40),
        (TINY, 112),
        ({"name": "resnet18"}, 32),
        ({"name": "resnet34"}, 33),
        ({"name": "efficientnet-b0"}, 32),
        ({"name": "efficientnet-lite0"}, 48),
    ],
    ids=str,
)
def test_every_backbone_takes_bytes_of_several_sizes_to_unit_embeddings(
    settings: dict[str, object], side: int
) -> None:
    backbone = made(**settings).eval()
    images = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    with torch.inference_mode():
        embeddings = backbone(images)
        assert embeddings.shape == (2, 12)
        assert torch.allclose(embeddings.norm(dim=1), torch.ones(2), atol=1e-5)
        assert torch.allclose(backbone(images.float()), embeddings)
        assert not torch.equal(embeddings[0], embeddings[1])


def test_unit_norm_and_dropout_are_the_recipes_choice() -> None:
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    for name in ("small-cnn", "student"):
        sizes = TINY if name == "student" else {"name": name}
        plain = made(**sizes, unit_norm=False).eval()
        assert not torch.allclose(plain(images).norm(dim=1), torch.ones(4), atol=1e-2)
        dropping = made(**sizes, dropout=0.5).train()
        for module in dropping.modules():
            if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                module.eval()
        assert not torch.equal(dropping(images), dropping(images))
        assert torch.equal(dropping.eval()(images), dropping(images))


def test_weights_come_from_the_path_of_a_file(tmp_path: Path) -> None:
    whole = made(name="small-cnn")
    torch.save(whole.state_dict(), tmp_path / "whole.pt")
    torch.save({"network": whole.state_dict(), "recipe": {}}, tmp_path / "best.pt")
    for name in ("whole.pt", "best.pt"):
        torch.manual_seed(1)
        loaded = make_backbone(
            BackboneRecipe(name="small-cnn", embedding_dim=12, weights=tmp_path / name)
        )
        assert all(
            torch.equal(value, loaded.state_dict()[key])
            for key, value in whole.state_dict().items()
        )


def test_a_students_checkpoint_is_the_beginning_of_a_fine_tuning(tmp_path: Path) -> None:
    student = StudentNetwork((4, 4, 8, 8), (1, 1, 1, 1), 12)
    torch.save({"student": student.state_dict(), "recipe": {}}, tmp_path / "checkpoint.pt")
    loaded = made(**TINY, weights=tmp_path / "checkpoint.pt", unit_norm=False, dropout=0.3).eval()
    images = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8)
    assert torch.equal(loaded(images), student.eval()(images.float()))


def test_a_published_networks_classifier_makes_way_for_the_embedding(tmp_path: Path) -> None:
    published = made(name="resnet18").network.state_dict()
    published["fc.weight"], published["fc.bias"] = torch.ones(1000, 512), torch.ones(1000)
    torch.save(published, tmp_path / "resnet18.pth")
    loaded = made(name="resnet18", weights=tmp_path / "resnet18.pth")
    assert torch.equal(loaded.network.get_parameter("conv1.weight"), published["conv1.weight"])


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (None, r"do not exist \(nothing is downloaded\)"),
        (b"not weights", "cannot be read as weights"),
        ({"steps": 3}, "holds no state_dict"),
    ],
)
def test_a_file_without_weights_is_told(tmp_path: Path, saved: object, message: str) -> None:
    path = tmp_path / "weights.pt"
    if isinstance(saved, bytes):
        path.write_bytes(saved)
    elif saved is not None:
        torch.save(saved, path)
    with pytest.raises(CheckpointError, match=message):
        made(name="small-cnn", weights=path)


def test_the_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(made(name="small-cnn", embedding_dim=7).state_dict(), path)
    with pytest.raises(CheckpointError, match=r"another network: 2 of another shape \(project\.1"):
        made(name="small-cnn", weights=path)
    with pytest.raises(CheckpointError, match=r"another network: .* missing .* unknown"):
        made(**TINY, weights=path)
    with pytest.raises(CheckpointError, match=r"another network: .* missing"):
        made(name="resnet18", weights=path)


def test_only_the_student_has_widths() -> None:
    with pytest.raises(ValidationError, match="mean nothing to resnet18"):
        BackboneRecipe(name="resnet18", widths=(1, 2, 3, 4))
