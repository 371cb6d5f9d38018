"""A teacher that cannot teach is told before a run, and one that was replaced is asked again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.training.made_data import picture, tiny_recipe, write_folder, write_teacher
from training.data.crops import CropSet, read_crops
from training.evaluation.embedders import TeachersEmbedder
from training.foundation.errors import CheckpointError
from training.recipes.recipe import TeacherRecipe
from training.teachers.targets import clean_targets
from training.teachers.torchscript import Teacher

CPU = torch.device("cpu")
RECIPE = TeacherRecipe(name="one", path="one.pt", input_size=64, channels="rgb")


class OfOneSize(nn.Module):
    """A network that takes pictures of 112 px only."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(3 * 112, 5)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.project(pictures.mean(dim=3).flatten(1))  # type: ignore[no-any-return]


class Flat(nn.Module):
    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.mean(dim=(1, 2, 3))


class Several(nn.Module):
    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return pictures, pictures


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    return read_crops("people", [write_folder(tmp_path / "people", 2, 2)], labelled=True)


def test_a_file_that_is_no_torchscript_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"teacher one: .*one\.pt does not exist"):
        Teacher(RECIPE, tmp_path, CPU)
    for content in (b"", b"no network", picture(1)):
        (tmp_path / "one.pt").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"one\.pt is no TorchScript module") as caught:
            Teacher(RECIPE, tmp_path, CPU)
        assert len(str(caught.value).splitlines()) == 1
    torch.save({"student": {}}, tmp_path / "one.pt")
    with pytest.raises(CheckpointError, match=r"one\.pt is no TorchScript module"):
        Teacher(RECIPE, tmp_path, CPU)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (OfOneSize(), "of a picture of 64 px: .*shapes"),
        (Flat(), r"of 64 px but \(1,\)"),
        (Several(), "of 64 px but tuple"),
    ],
    ids=["another size", "no vector", "two answers"],
)
def test_a_network_that_gives_no_embedding_of_the_recipes_size_is_named(
    tmp_path: Path, network: nn.Module, told: str
) -> None:
    torch.jit.script(network).save(str(tmp_path / "one.pt"))
    with pytest.raises(CheckpointError, match=rf"teacher one: .*one\.pt gives no .*{told}"):
        Teacher(RECIPE, tmp_path, CPU)


def test_a_replaced_teacher_is_asked_again(tmp_path: Path, crops: CropSet) -> None:
    cache, recipe = tmp_path / "cache", tiny_recipe(teachers=[RECIPE.model_dump()])

    def answers() -> tuple[Tensor, Tensor]:
        targets = clean_targets(crops, Teacher(RECIPE, tmp_path, CPU), cache)
        judged = TeachersEmbedder(recipe, tmp_path, cache, CPU).embed(crops)
        return targets, torch.from_numpy(judged)

    write_teacher(tmp_path / "one.pt", 1, 10)
    first = answers()
    for file in cache.iterdir():
        os.utime(file, (1, 1))
    again = answers()
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(first, again, strict=True))
    assert {file.stat().st_mtime for file in cache.iterdir()} == {1.0}  # nothing was asked anew
    write_teacher(tmp_path / "one.pt", 2, 10)
    other = answers()
    assert not any(torch.allclose(a, b, atol=0.1) for a, b in zip(first, other, strict=True))
    weighed = RECIPE.model_copy(update={"loss_weight": 3.0})
    assert Teacher(weighed, tmp_path, CPU).identity == Teacher(RECIPE, tmp_path, CPU).identity
