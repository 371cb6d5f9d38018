"""A distillation's moving average, its clipped gradients, its folder, and what stops it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.engines.run_states import numbers_in
from tests.training.engines.small_runs import made_recipe, made_run
from tests.training.engines.test_run import distillation_of, make_run, tuned_recipe
from tests.training.made_data import tiny_recipe, write_tiny_data
from tests.training.networks.published.published_file import random_tensors, write_published
from training.engines.run import Run, train
from training.engines.run_folder import RunExistsError, RunFolderError
from training.evaluation.embedders import CheckpointEmbedder
from training.export.package import read_training
from training.foundation.arrays import FloatArray
from training.foundation.checkpoints import load_checkpoint, save_checkpoint
from training.foundation.errors import CheckpointError, TrainingDivergedError
from training.networks.joint import JointNetwork
from training.networks.served import save_module
from training.networks.students import make_student
from training.recipes.recipe import Recipe

CPU = torch.device("cpu")
AVERAGED = {"ema_decay": 0.4, "clip_norm": 1.0}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_tiny_data(tmp_path / "data")


def weights_of(network: nn.Module) -> dict[str, FloatArray]:
    return {
        name: weight.detach().numpy().astype(np.float64)
        for name, weight in network.named_parameters()
    }


def test_the_judged_weights_are_the_average_that_a_slow_loop_makes(
    data: Path, tmp_path: Path
) -> None:
    run = make_run(tiny_recipe(**AVERAGED), data, tmp_path / "run")
    slow = weights_of(run.network)
    for step in range(1, 7):
        run.step()
        decay = min(0.4, (1 + step) / (10 + step))
        for name, weight in weights_of(run.network).items():
            slow[name] = decay * slow[name] + (1 - decay) * weight
    judged = weights_of(run.judged)
    for name, weight in slow.items():
        np.testing.assert_allclose(judged[name], weight, atol=1e-5, err_msg=name)
    assert any(not np.allclose(judged[n], w) for n, w in weights_of(run.network).items())
    assert not run.judged.training


def test_without_a_decay_the_student_itself_is_judged(data: Path, tmp_path: Path) -> None:
    run = make_run(tiny_recipe(), data, tmp_path / "run")
    assert run.judged is run.network


TUNED: dict[str, object] = {
    "student": {"kind": "mobile-face-net", "start": "published.pt", "embedding_dim": 12},
    "correction": {"steps": 3, "batch_size": 16, "embedding_dim": 12},
    "optimiser": {"name": "relative-adamw"},
    "steps": 4,
    "batch_size": 4,
    "resolution": [{"until": 1.0, "pixels": 64}],
}


def to_the_end(run: Run) -> list[dict[str, float]]:
    """Take the steps that are left, save, and return the stats of each."""
    run.network.train()
    stats = [run.step() for _ in range(run.recipe.steps - run.step_number)]
    run.save()
    return stats


@pytest.mark.parametrize(
    "changes",
    [
        {},
        AVERAGED,
        {"teacher_view": "augmented", "augment": {"mixup": 0.5}},
        TUNED,
    ],
    ids=["muon", "moving average", "teachers on the spot", "relative adamw"],
)
def test_an_interrupted_run_ends_bit_for_bit_as_the_uninterrupted(
    data: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    write_published(data / "published.pt", random_tensors(pool=8))
    recipe = tiny_recipe(**changes)
    half = recipe.steps // 2
    whole = make_run(recipe, data, tmp_path / "whole")
    stats = to_the_end(whole)
    first = make_run(recipe, data, tmp_path / "cut")
    first.network.train()
    for _ in range(half):
        first.step()
    first.save()
    first.step()  # is lost: the run ends before it is saved
    torch.rand(3)  # whatever else the process draws meanwhile
    second = make_run(recipe, data, tmp_path / "cut", resume=True)
    assert second.step_number == half
    assert to_the_end(second) == stats[half:]
    expected, ended = (
        numbers_in(load_checkpoint(run.folder.checkpoint, CPU)) for run in (whole, second)
    )
    assert expected.keys() == ended.keys()
    assert [name for name in expected if not torch.equal(expected[name], ended[name])] == []
    assert any(name.startswith("run.optimiser.") for name in expected)


def test_what_judges_and_ships_takes_the_average(data: Path, tmp_path: Path) -> None:
    run = make_run(tiny_recipe(**AVERAGED), data, tmp_path / "run")
    train(run)
    path = tmp_path / "run" / "checkpoint.pt"
    exported, origin = read_training(path)
    assert "moving\naverage of those of the run, decay 0.4" in origin.story()
    continued = make_run(tiny_recipe(), data, tmp_path / "more", initial_weights=path)
    for network in (CheckpointEmbedder(path, CPU).student, exported, continued.network):
        for name, weight in run.judged.state_dict().items():
            assert torch.equal(weight, network.state_dict()[name]), name


def test_a_run_interrupted_between_two_lines_of_its_log_writes_the_same_log(
    data: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(log_every=4)
    whole = make_run(recipe, data, tmp_path / "whole")
    train(whole)
    train(make_run(recipe, data, tmp_path / "cut", stop_after=5, checkpoint_minutes=0.0))
    second = make_run(recipe, data, tmp_path / "cut", resume=True)
    assert second.step_number == 5
    train(second)
    expected, ended = (
        numbers_in(load_checkpoint(run.folder.checkpoint, CPU)) for run in (whole, second)
    )
    assert [name for name in expected if not torch.equal(expected[name], ended[name])] == []
    assert log_of(tmp_path / "whole") == [4, 6]
    assert (tmp_path / "whole/log.jsonl").read_text() == (tmp_path / "cut/log.jsonl").read_text()


def test_a_checkpoint_of_before_there_was_one_engine_is_judged_and_started_from(
    data: Path, tmp_path: Path
) -> None:
    """As they were: the student by that name, no average, recipes without the younger keys."""
    run = make_run(tiny_recipe(), data, tmp_path / "run")
    run.step()
    recipe = run.state()["recipe"]
    for key in ("ema_decay", "clip_norm", "precision", "log_every", "evaluate_every", "patience"):
        del recipe[key]
    old = {
        "recipe": recipe,
        "student": run.network.state_dict(),
        "heads": run.heads.state_dict(),
        "optimisers": {"muon": {}, "adamw": {}},
        "step_number": 1,
        "elapsed_seconds": 3600.0,
        "earlier_runs": [],
    }
    path = tmp_path / "run/checkpoint.pt"
    save_checkpoint(path, old)
    student, origin = read_training(path)
    assert (origin.recipe, origin.steps, origin.hours) == (tiny_recipe(), 1, 1.0)
    continued = make_run(tiny_recipe(), data, tmp_path / "more", initial_weights=path)
    for network in (student, CheckpointEmbedder(path, CPU).student, continued.network):
        for name, weight in run.network.state_dict().items():
            assert torch.equal(weight, network.state_dict()[name]), name
    for name, weight in run.heads.state_dict().items():
        assert torch.equal(weight, continued.heads.state_dict()[name]), name
    assert continued.earlier_runs[0]["seconds"] == 3600.0
    with pytest.raises(CheckpointError, match="holds no fingerprint and optimiser"):
        make_run(tiny_recipe(), data, tmp_path / "run", resume=True)


def test_a_checkpoint_of_another_kind_of_run_is_refused_in_one_line(tmp_path: Path) -> None:
    train(made_run(tmp_path / "metric", made_recipe(steps=1)))
    path = tmp_path / "metric/checkpoint.pt"
    for read in (read_training, lambda path: CheckpointEmbedder(path, CPU)):
        with pytest.raises(CheckpointError, match=r"t\.pt was made by another kind of run"):
            read(path)


@pytest.mark.parametrize("clip_norm", [1e-3, None])
def test_gradients_are_clipped_to_the_recipes_norm(
    data: Path, tmp_path: Path, clip_norm: float | None
) -> None:
    run = make_run(tiny_recipe(clip_norm=clip_norm), data, tmp_path / "run")
    norms: list[float] = []

    def note(*_: object) -> None:
        weights = [*run.network.parameters(), *run.heads.parameters()]
        seen = [w.grad.square().sum() for w in weights if w.grad is not None]
        norms.append(float(torch.stack(seen).sum().sqrt()))

    run.training_step.optimiser.parts[0].register_step_pre_hook(note)
    stats = run.step()
    assert stats["gradient_norm"] > 0.01
    assert norms == [pytest.approx(clip_norm or stats["gradient_norm"], rel=0.01)]


@pytest.mark.parametrize("broken", ["loss", "gradient"])
def test_nan_and_infinity_name_the_files_of_the_batch(
    data: Path, tmp_path: Path, broken: str
) -> None:
    run = make_run(tiny_recipe(), data, tmp_path / "run")
    train(run)
    good = (tmp_path / "run/checkpoint.pt").read_bytes()
    weight = next(run.network.parameters())
    if broken == "loss":
        with torch.no_grad():
            weight.fill_(float("nan"))
    else:
        weight.register_hook(lambda gradient: gradient * float("inf"))
    before = weight.detach().clone()
    said = r"is (nan|inf) at step 6; batch: (person-\d/\d|pool/\d+)\.png \(row \d+\), .* and 8 more"
    with pytest.raises(TrainingDivergedError, match=said):
        run.step()
    assert torch.equal(weight, before) or broken == "loss"
    named = json.loads((tmp_path / "run/diverged.json").read_text())["named"]
    assert len(named) == 16
    assert {line.split(" (row")[0] for line in named} <= set(distillation_of(run).crops.files)
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == good


def test_broken_weights_are_never_saved(data: Path, tmp_path: Path) -> None:
    run = make_run(tiny_recipe(steps=1), data, tmp_path / "run")
    name, buffer = next((n, b) for n, b in run.network.named_buffers() if "running" in n)
    buffer.fill_(float("inf"))
    with pytest.raises(TrainingDivergedError, match=rf"after step 1 {name} holds NaN or infinity"):
        train(run)
    assert not (tmp_path / "run/checkpoint.pt").exists()


def log_of(folder: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_run_says_what_it_ran_on_and_a_new_one_takes_its_place(
    data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    for again in (False, True):
        train(make_run(tiny_recipe(), data, folder, force=again))
    with pytest.raises(RunExistsError, match="--resume goes on with it"):
        train(make_run(tiny_recipe(), data, folder))
    assert log_of(folder) == [6]
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert len(environment["data"]) == 64


def test_a_resumed_run_logs_no_step_twice(data: Path, tmp_path: Path) -> None:
    folder, recipe = tmp_path / "run", tiny_recipe(steps=120, batch_size=4)
    run = make_run(recipe, data, folder)
    run.folder.open("{}", {}, None)
    for step in (50, 100, 118):
        run.folder.log(step, {"loss": 1.0})
    run.step_number = 117  # the last checkpoint of the interrupted run
    run.save()
    with (folder / "log.jsonl").open("a") as log:
        log.write('{"step": 1')
    train(make_run(recipe, data, folder, resume=True))
    assert log_of(folder) == [50, 100, 120]


def test_no_space_left_keeps_the_last_checkpoint_and_saves_the_weights(
    data: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(**AVERAGED)
    first = make_run(recipe, data, tmp_path / "run")
    first.step()
    first.save()
    good = (tmp_path / "run/checkpoint.pt").read_bytes()
    (tmp_path / "run/checkpoint.partial").symlink_to("/dev/full")  # a device without any room
    run = make_run(recipe, data, tmp_path / "run", resume=True)
    with pytest.raises(RunFolderError, match="still the last one that was whole; the weights"):
        train(run)
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == good
    rescued = tmp_path / "run/rescued.pt"
    student, origin = read_training(rescued)
    assert origin.steps == 6
    for name, weight in run.judged.state_dict().items():
        assert torch.equal(weight, student.state_dict()[name]), name
    with pytest.raises(CheckpointError, match="training cannot go on from it"):
        make_run(recipe, data, tmp_path / "more", initial_weights=rescued)


def test_a_folder_that_cannot_be_written_is_told_before_the_first_step(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    run = make_run(tiny_recipe(), data, tmp_path / "file" / "run")
    with pytest.raises(RunFolderError, match="cannot be written"):
        train(run)
    assert run.step_number == 0


WIDER = {"student": {"widths": [8, 8, 8, 16], "blocks": [1, 1, 1, 1], "embedding_dim": 12}}


@pytest.mark.parametrize(
    "recipe",
    [tiny_recipe(**WIDER), tuned_recipe()],
    ids=["another width", "another kind of network"],
)
def test_a_checkpoint_of_another_network_is_no_start(
    data: Path, tmp_path: Path, recipe: Recipe
) -> None:
    write_published(data / "published.pt", random_tensors(pool=8))
    make_run(tiny_recipe(), data, tmp_path / "first").save()
    start = tmp_path / "first/checkpoint.pt"
    with pytest.raises(
        CheckpointError, match=r"first/checkpoint\.pt holds the weights of another network: \d+ "
    ):
        make_run(recipe, data, tmp_path / "second", initial_weights=start)


def test_an_exported_joint_embedder_is_no_start(data: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe()
    student, other = make_student(recipe.student), make_student(recipe.student)
    joint = JointNetwork(student, other, 0.5, nn.Linear(24, 8, bias=False)).eval()
    path = tmp_path / "embedder.pt"
    save_module(joint, path, half=False)
    with pytest.raises(CheckpointError, match=r"embedder\.pt holds the weights of another network"):
        make_run(recipe, data, tmp_path / "run", initial_weights=path)
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"embedder\.pt is no TorchScript"):
        make_run(recipe, data, tmp_path / "run", initial_weights=path)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"embedder\.pt does not exist"):
        make_run(recipe, data, tmp_path / "run", initial_weights=path)


def test_a_start_that_the_run_would_delete_is_refused(data: Path, tmp_path: Path) -> None:
    make_run(tiny_recipe(), data, tmp_path / "run").save()
    start = tmp_path / "run/checkpoint.pt"
    with pytest.raises(CheckpointError, match="would make way for this run"):
        make_run(tiny_recipe(seed=4), data, tmp_path / "run", initial_weights=start)
    assert start.is_file()


def test_published_weights_of_another_network_are_named(data: Path, tmp_path: Path) -> None:
    (data / "published.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"published\.pt is no TorchScript"):
        make_run(tuned_recipe(), data, tmp_path / "run")
    save_module(make_student(tiny_recipe().student), data / "published.pt", half=False)
    with pytest.raises(CheckpointError, match=r"published\.pt holds another network"):
        make_run(tuned_recipe(), data, tmp_path / "run")
