"""In what a run calculates: what the device has, never what it would have to emulate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from app.embedding.openvino import BFLOAT16, cpu_capabilities
from tests.training.engines.small_runs import made_recipe, made_run
from tests.training.engines.test_run import make_run
from tests.training.made_data import crop_set, tiny_recipe, write_tiny_data
from training.engines.join import trained_sface
from training.engines.run import train
from training.export.package import read_training
from training.foundation.checkpoints import load_checkpoint
from training.foundation.errors import CheckpointError, DataError
from training.foundation.precision import (
    Precision,
    chosen_precision,
    has_bfloat16,
    multiplies_bfloat16,
    precision_of,
)
from training.networks.students import make_student
from training.recipes.recipe import SFaceRecipe, TeacherRecipe
from training.teachers.torchscript import Teacher

CPU = torch.device("cpu")
HERE = precision_of(CPU)
OTHER = Precision.FP32 if HERE is Precision.BF16 else Precision.BF16


class Listening(nn.Module):
    """Notes in what type its product was calculated, as a tensor that TorchScript can return."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 4))

    def forward(self, pictures: Tensor) -> Tensor:
        # 1 + 2^-10 is 1 in bfloat16 and itself in fp32, whatever the product is returned as.
        rows = torch.full((pictures.shape[0], 3), 1.0 + 2.0**-10)
        product = rows @ self.weight
        return torch.cat([product.float() - 3.0, torch.ones(pictures.shape[0], 1)], dim=1)


@pytest.mark.parametrize(
    ("capabilities", "has"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_f": True, "avx512_bw": True, "avx512_vnni": True}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"neon": True, "bf16": True}, True),
        ({"neon": True, "sve_max_length": 256}, False),
        ({}, False),
    ],
)
def test_a_cpu_has_bfloat16_where_it_has_instructions_for_it(
    capabilities: dict[str, object], has: bool
) -> None:
    assert multiplies_bfloat16(capabilities) is has


def test_training_takes_no_bfloat16_where_the_service_finds_none() -> None:
    if BFLOAT16 not in cpu_capabilities():
        assert not has_bfloat16(CPU)
        assert precision_of(CPU) is Precision.FP32


def test_a_precision_that_would_be_emulated_is_refused() -> None:
    assert chosen_precision("auto", CPU) is HERE
    assert chosen_precision("fp32", CPU) is Precision.FP32
    with pytest.raises(DataError, match="needs CUDA"):
        chosen_precision("fp16", CPU)
    if HERE is Precision.FP32:
        with pytest.raises(DataError, match='"bf16" would be emulated'):
            made_run(Path("nowhere"), made_recipe(precision="bf16"))
        with pytest.raises(DataError, match='"bf16" would be emulated'):
            tiny_recipe(precision="bf16").on(CPU)


def types_seen_by(network: nn.Module) -> set[torch.dtype]:
    """Return a set that fills with the types of what the convolutions of ``network`` answer."""
    seen: set[torch.dtype] = set()

    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            seen.add(output.dtype)

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    return seen


def calculated_in() -> set[torch.dtype]:
    return {torch.bfloat16 if HERE is Precision.BF16 else torch.float32}


def test_a_distillation_calculates_and_records_what_the_cpu_has(tmp_path: Path) -> None:
    data = write_tiny_data(tmp_path / "data")
    run = make_run(tiny_recipe(steps=1), data, tmp_path / "run")
    seen = types_seen_by(run.network)
    train(run)
    assert seen == calculated_in()
    assert json.loads((tmp_path / "run/environment.json").read_text())["precision"] == HERE
    assert json.loads((tmp_path / "run/recipe.json").read_text())["precision"] == HERE
    _, origin = read_training(run.folder.checkpoint)
    assert f"The network was trained in {HERE}." in origin.story()


def test_similarity_learning_calculates_and_records_what_the_cpu_has(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", made_recipe(steps=1), validated=False)
    seen = types_seen_by(run.network)
    train(run)
    assert seen == calculated_in()
    assert json.loads((tmp_path / "run/environment.json").read_text())["precision"] == HERE
    assert json.loads((tmp_path / "run/recipe.json").read_text())["precision"] == HERE


def test_a_teacher_is_asked_in_what_the_cpu_has(tmp_path: Path) -> None:
    recipe = TeacherRecipe(name="one", path="one.pt", input_size=64, channels="rgb")
    torch.jit.script(Listening()).save(str(tmp_path / "one.pt"))
    answer = Teacher(recipe, tmp_path, CPU)(torch.zeros(2, 3, 64, 64), 64, 0.0)
    assert bool((answer[:, :4] == 0).all()) is (HERE is Precision.BF16)


def test_the_networks_of_a_join_are_asked_in_what_the_cpu_has(tmp_path: Path) -> None:
    network = make_student(SFaceRecipe(kind="sface", embedding_dim=12)).eval()
    seen = types_seen_by(network)
    trained_sface(network, crop_set([-1], [0], [0]), tmp_path / "checkpoint.pt")
    assert seen == calculated_in()


def test_a_run_is_not_taken_up_in_another_precision(tmp_path: Path) -> None:
    data = write_tiny_data(tmp_path / "data")
    run = make_run(tiny_recipe(), data, tmp_path / "run")
    run.save()
    state = load_checkpoint(run.folder.checkpoint, CPU)
    state["recipe"]["precision"] = OTHER.value
    torch.save(state, run.folder.checkpoint)
    with pytest.raises(CheckpointError, match=rf'trained in {OTHER}.* state precision = "{OTHER}"'):
        make_run(tiny_recipe(), data, tmp_path / "run", resume=True)
    metric = made_run(tmp_path / "metric", stop_after=4)
    train(metric)
    kept = metric.state() | {"recipe": metric.state()["recipe"] | {"precision": OTHER.value}}
    torch.save(kept, tmp_path / "metric/checkpoint.pt")
    with pytest.raises(CheckpointError, match=rf"trained in {OTHER}"):
        made_run(tmp_path / "metric", resume=True)
