"""Weights between a published start and a run's end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from typer import Typer
from typer.testing import CliRunner

from tests.training.engines.test_run import distillation_of, make_run, tuned_recipe
from tests.training.made_data import tiny_recipe, write_tiny_data
from tests.training.networks.published.published_file import random_tensors, write_published
from training.cli.interpolate import interpolate
from training.engines.interpolation import checked_share, interpolated, mixed
from training.engines.run import Run, train
from training.engines.starts import see_pictures
from training.engines.targets import CORRECTION
from training.export.package import read_training
from training.export.trained_origin import TrainedOrigin
from training.foundation.checkpoints import load_checkpoint, save_checkpoint
from training.foundation.errors import CheckpointError
from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.published.mobile_face_net import load_published
from training.networks.sface_student import SFaceNetwork
from training.networks.students import make_student
from training.recipes.recipe import load_recipe

CPU = torch.device("cpu")
#: MobileFaceNet is of one size: few pictures, small ones.
SHORT: dict[str, object] = {
    "steps": 3,
    "batch_size": 4,
    "resolution": [{"until": 1.0, "pixels": 64}],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run from published weights at its end; nobody changes it."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_tiny_data(folder / "data")
    write_published(data / "published.pt", random_tensors(pool=8))
    run = make_run(tuned_recipe(**SHORT), data, folder / "run")
    train(run)
    return run


def test_every_weight_lies_between() -> None:
    start, end = {"a": torch.tensor([0.0, 4.0])}, {"a": torch.tensor([8.0, 0.0])}
    assert mixed(start, end, 0.25)["a"].tolist() == [2.0, 3.0]


def test_what_is_counted_is_no_weight() -> None:
    start, end = {"seen": torch.tensor(3)}, {"seen": torch.tensor(8)}
    assert mixed(start, end, 0.25)["seen"].item() == 8


@pytest.mark.slow
def test_sface_trained_on_goes_half_way_back(tmp_path: Path) -> None:
    data = write_tiny_data(tmp_path / "data")
    recipe = tiny_recipe(
        student={"kind": "sface", "embedding_dim": 12},
        correction={"steps": 3, "batch_size": 16, "embedding_dim": 12},
        optimiser={"name": "relative-adamw", "weight_decay": 0.0},
        resolution=[{"until": 1.0, "pixels": 112}],
        steps=1,
        batch_size=4,
    )
    run = make_run(recipe, data, tmp_path / "run")
    train(run)
    resumed = make_run(recipe, data, tmp_path / "run", resume=True)
    assert resumed.step_number == 1
    step, state = distillation_of(run), load_checkpoint(run.folder.checkpoint, CPU)
    mean = interpolated(state, 0.5, step.targets, step.crops)
    start = make_student(recipe.student).state_dict()
    for name in ("trunk.80.weight", "trunk.85.weight"):
        assert not torch.equal(start[name], state["network"][name])
        between = (start[name] + state["network"][name]) / 2
        assert torch.allclose(mean["network"][name], between, atol=1e-6)
    assert torch.equal(start["trunk.2.weight"], mean["network"]["trunk.2.weight"])
    save_checkpoint(tmp_path / "mean" / "checkpoint.pt", mean)
    student, origin = read_training(tmp_path / "mean" / "checkpoint.pt")
    assert isinstance(student, SFaceNetwork)
    assert origin.trained_share == 0.5


@pytest.mark.slow
def test_the_mean_of_start_and_end_keeps_near_the_targets(trained: Run, tmp_path: Path) -> None:
    run, step = trained, distillation_of(trained)
    data = step.targets.root
    state = load_checkpoint(run.folder.checkpoint, CPU)
    mean = interpolated(state, 0.5, step.targets, step.crops)
    start = MobileFaceNetwork(12)
    load_published(start, data / "published.pt")
    for name, weight in mean["network"].items():
        if not name.startswith("project"):
            between = (start.state_dict()[name] + state["network"][name]) / 2
            assert torch.allclose(weight, between, atol=1e-6), name
    student = MobileFaceNetwork(12)
    student.load_state_dict(mean["network"])
    seen, answers = see_pictures(student, step.targets, step.crops)
    near = F.cosine_similarity(student.project(seen), answers[CORRECTION]).mean()
    start.project.load_state_dict(student.project.state_dict())
    seen, _ = see_pictures(start, step.targets, step.crops)
    assert near > F.cosine_similarity(start.project(seen), answers[CORRECTION]).mean()
    assert mean["trained_share"] == 0.5
    with pytest.raises(CheckpointError, match="already"):
        interpolated(mean, 0.5, step.targets, step.crops)
    save_checkpoint(tmp_path / "mean" / "checkpoint.pt", mean)
    for options in ({"initial_weights": tmp_path / "mean" / "checkpoint.pt"}, {"resume": True}):
        with pytest.raises(CheckpointError, match="training cannot go on from it"):
            make_run(tuned_recipe(**SHORT), data, tmp_path / "mean", **options)


def test_a_run_from_random_weights_has_no_start(trained: Run) -> None:
    step = distillation_of(trained)
    state = {"recipe": load_recipe("width-32").model_dump(mode="json"), "network": {}}
    with pytest.raises(CheckpointError, match="random weights"):
        interpolated(state, 0.5, step.targets, step.crops)


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5, float("nan")])
def test_a_share_that_is_no_mean_is_refused(share: float) -> None:
    with pytest.raises(CheckpointError, match="0 <= share < 1"):
        checked_share(share, Path("checkpoint.pt"))


@pytest.mark.slow
def test_the_command_writes_a_checkpoint_whose_origin_tells(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, checkpoint = distillation_of(trained).targets.root, trained.folder.checkpoint
    monkeypatch.chdir(tmp_path)
    app = Typer()
    app.command()(interpolate)
    words = ["--checkpoint", str(checkpoint), "--run", "mean", "--data", str(data)]
    result = CliRunner().invoke(app, [*words, "--share", "0.7"])
    assert result.exit_code == 0, result.output
    _, origin = read_training(tmp_path / "mean" / "checkpoint.pt")
    assert origin.trained_share == 0.7
    assert origin.steps == 3
    again = CliRunner().invoke(app, [*words, "--share", "0.6"])
    assert isinstance(again.exception, CheckpointError)
    assert read_training(tmp_path / "mean" / "checkpoint.pt")[1].trained_share == 0.7


def test_a_card_tells_of_weights_between() -> None:
    origin = TrainedOrigin(recipe=load_recipe("native-open"), steps=6, hours=0.1, trained_share=0.7)
    assert "70% of the way" in origin.story()
    told = origin.commands("models/embedder/9.0.0", "9.0.0")
    assert "interpolate --checkpoint runs/1/checkpoint.pt --share 0.7 --run runs/mean" in told
    assert "export --checkpoint runs/mean/checkpoint.pt" in told
    assert "of the way" not in origin.model_copy(update={"trained_share": 1.0}).story()
