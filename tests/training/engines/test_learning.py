from __future__ import annotations

import errno
import io
import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import Tensor

from tests.training.engines.run_states import numbers_in
from tests.training.engines.small_runs import CPU, made_data, made_recipe, made_run
from training.data.batches import Batch, BatchSource, make_batches
from training.engines.interruption import interruptible
from training.engines.learned import load_best
from training.engines.metric_learning import MetricStep
from training.engines.progress import ProgressLines, RunProgress
from training.engines.run import train
from training.engines.run_folder import RunExistsError, RunFolder, RunFolderError
from training.foundation.errors import (
    CheckpointError,
    DataError,
    RunInterruptedError,
    TrainingDivergedError,
)

PAIRS: dict[str, object] = {
    "loss": {"name": "contrastive"},
    "miner": {"name": "all"},
    "sampler": {"name": "pairs", "pairs": 6},
}
TRIPLETS: dict[str, object] = {
    "miner": {"name": "all"},
    "sampler": {"name": "triplets", "triplets": 4},
}


def test_a_run_leaves_its_whole_story(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    train(run)
    folder = tmp_path / "run"
    assert json.loads((folder / "recipe.json").read_text())["name"] == "tiny"
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert environment["data"] == run.training_step.fingerprint
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [e["step"] for e in entries if "metric" in e] == [2, 4, 6, 8, 10, 12]
    assert [e["step"] for e in entries if "validation" in e] == [4, 8, 12]
    assert list(folder.glob("events.out.tfevents.*"))
    best = load_best(run)
    assert run.training_step.validate(best) == pytest.approx(run.best_score)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser": {"name": "sgd", "learning_rate": 0.05}},
        {"loss": {"name": "arcface", "scale": 8}, "miner": {"name": "all"}, "ema_decay": None},
        {"loss": {"name": "proxy-nca"}, "optimiser": {"name": "adam"}},
        {"sampler": {"name": "shuffled", "batch_size": 12}},
        PAIRS,
        TRIPLETS,
    ],
    ids=["adamw", "sgd", "arcface", "proxies", "shuffled", "pairs", "triplets"],
)
def test_an_interrupted_run_ends_bit_for_bit_as_the_uninterrupted(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    recipe = made_recipe(**changes)
    whole = made_run(tmp_path / "whole", recipe)
    train(whole)
    first = made_run(tmp_path / "cut", recipe, stop_after=7)  # the last checkpoint is of step 4
    train(first)
    torch.rand(3)  # whatever else the process draws meanwhile
    second = made_run(tmp_path / "cut", recipe, resume=True)
    assert second.step_number == 4
    train(second)
    expected, ended = numbers_in(whole.state()), numbers_in(second.state())
    assert expected.keys() == ended.keys()
    assert [name for name in expected if not torch.equal(expected[name], ended[name])] == []
    assert (tmp_path / "whole/log.jsonl").read_text() == (tmp_path / "cut/log.jsonl").read_text()


@pytest.mark.parametrize("name", ["checkpoint.pt", "best.pt", "result.json"])
def test_a_new_run_replaces_an_old_one_only_where_it_is_asked_to(tmp_path: Path, name: str) -> None:
    kept = tmp_path / "run" / name
    kept.parent.mkdir()
    kept.write_text("of five days")
    with pytest.raises(RunExistsError, match=rf"holds a run already \({name}\): --resume goes on"):
        made_run(tmp_path / "run")
    assert kept.read_text() == "of five days"
    train(made_run(tmp_path / "run", force=True))
    train(made_run(tmp_path / "run", force=True))
    assert len((tmp_path / "run/log.jsonl").read_text().splitlines()) == 9
    assert len(list((tmp_path / "run").glob("events.out.tfevents.*"))) == 1


@pytest.mark.parametrize(
    "changes",
    [{"miner": {"name": "all"}}, PAIRS, TRIPLETS],
    ids=["all triplets", "drawn pairs", "drawn triplets"],
)
def test_a_run_learns(tmp_path: Path, changes: dict[str, object]) -> None:
    recipe = made_recipe(steps=60, evaluate_every=60, **changes)
    run = made_run(tmp_path / "run", recipe)
    first = [run.step()["metric"] for _ in range(5)]
    for _ in range(50):
        run.step()
    last = [run.step()["metric"] for _ in range(5)]
    assert sum(last) < 0.5 * sum(first)


def test_a_loss_that_is_no_number_names_the_batch_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", stop_after=5)
    train(run)
    good = (tmp_path / "run/checkpoint.pt").read_bytes()
    with torch.no_grad():
        next(run.network.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDivergedError, match=r"loss is nan at step 5; batch: \d/\d+\.png"):
        run.step()
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == good
    batch = json.loads((tmp_path / "run/diverged.json").read_text())
    assert batch["step"] == 5
    assert len(batch["rows"]) == len(batch["named"]) == 12
    resumed = made_run(tmp_path / "run", resume=True)
    assert resumed.step_number == 4
    train(resumed)


def test_a_gradient_that_is_no_number_steps_nothing(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    weight = next(run.network.parameters())
    weight.register_hook(lambda gradient: gradient * float("inf"))
    before = weight.detach().clone()
    with pytest.raises(TrainingDivergedError, match=r"gradient's norm is .* at step 0; batch: "):
        run.step()
    assert torch.equal(weight, before)


def test_broken_weights_are_never_saved(tmp_path: Path) -> None:
    train(made_run(tmp_path / "run", stop_after=4))
    good = (tmp_path / "run/checkpoint.pt").read_bytes()
    run = made_run(tmp_path / "run", resume=True)
    with torch.no_grad():
        run.network.get_buffer("network.norms.0.running_mean").fill_(float("inf"))
    with pytest.raises(TrainingDivergedError, match=r"after step 8 .*running_mean"):
        train(run)
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == good


def test_patience_ends_a_run_that_gets_no_better(tmp_path: Path) -> None:
    recipe = made_recipe(steps=400, evaluate_every=2, patience=3, optimiser={"learning_rate": 1e-9})
    run = made_run(tmp_path / "run", recipe)
    train(run)
    assert run.step_number - run.best_step == 6
    assert run.step_number < 400
    resumed = made_run(tmp_path / "run", recipe, resume=True)
    assert resumed.finished


def test_no_space_left_keeps_the_last_checkpoint_and_saves_the_weights(tmp_path: Path) -> None:
    train(made_run(tmp_path / "run", stop_after=4))
    good = (tmp_path / "run/checkpoint.pt").read_bytes()
    (tmp_path / "run/checkpoint.partial").symlink_to("/dev/full")  # a device without any room
    run = made_run(tmp_path / "run", resume=True)
    with pytest.raises(RunFolderError, match="still the last one that was whole; the weights"):
        train(run)
    assert (tmp_path / "run/checkpoint.pt").read_bytes() == good
    rescued = torch.load(tmp_path / "run/rescued.pt", weights_only=True)
    assert rescued["step_number"] == 8
    assert rescued["network"].keys() == run.judged.state_dict().keys()


def test_without_any_room_for_checkpoints_the_weights_are_still_saved(tmp_path: Path) -> None:
    def full(_path: Path, _state: dict[str, Any]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    run = made_run(RunFolder(tmp_path / "run", full))
    with pytest.raises(
        RunFolderError, match=r"No space left .* weights alone are in .*rescued\.pt"
    ):
        train(run)


def test_a_folder_that_cannot_be_written_is_told_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    run = made_run(tmp_path / "file" / "run")
    with pytest.raises(RunFolderError, match="cannot be written"):
        train(run)
    assert run.step_number == 0


def test_only_a_checkpoint_of_the_same_recipe_and_data_is_resumed(tmp_path: Path) -> None:
    train(made_run(tmp_path / "run", stop_after=4))
    changed = made_recipe(seed=1, loss={"name": "triplet", "margin": 0.3}, patience=3)
    said = (
        r"seed was 20261122 and is 1; patience was null and is 3; loss\.margin was 0\.2 and is 0\.3"
    )
    with pytest.raises(CheckpointError, match=f"another recipe: {said}"):
        made_run(tmp_path / "run", changed, resume=True)
    with pytest.raises(CheckpointError, match="other data"):
        made_run(tmp_path / "run", data=made_data(seed=5), resume=True)
    with pytest.raises(CheckpointError, match="does not exist"):
        made_run(tmp_path / "none", resume=True)
    torch.save({"student": {}, "recipe": {}}, tmp_path / "run/checkpoint.pt")
    with pytest.raises(CheckpointError, match="holds no fingerprint and heads and optimiser"):
        made_run(tmp_path / "run", resume=True)


def test_a_teacher_is_kept_beside_the_loss_or_followed_alone(tmp_path: Path) -> None:
    data = made_data()
    generator = torch.Generator().manual_seed(1)
    wanted = torch.randn(5, 8, generator=generator).repeat_interleave(6, 0)
    teacher = {"path": "teacher.pt", "weight": 2.0}
    alone = made_recipe(
        teacher=teacher, loss={"name": "none"}, miner={"name": "all"}, ema_decay=None
    )
    run = made_run(tmp_path / "alone", alone, data, targets=lambda rows: wanted[rows])
    first = run.step()
    for _ in range(40):
        last = run.step()
    assert first["metric"] == 0.0
    assert last["teacher"] < 0.7 * first["teacher"]
    both = made_run(
        tmp_path / "both", made_recipe(teacher=teacher), data, targets=lambda rows: wanted[rows]
    )
    assert min(both.step()[name] for name in ("metric", "teacher")) > 0.0
    with pytest.raises(DataError, match="teacher's embeddings have 3 numbers, the network's 8"):
        made_run(
            tmp_path / "size", alone, data, targets=lambda rows: torch.ones(len(rows), 3)
        ).step()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "fp16"}, "needs CUDA"),
        ({"patience": 2}, "needs a validation part"),
        ({"teacher": {"path": "teacher.pt"}}, "needs its embeddings"),
    ],
)
def test_what_a_machine_or_a_caller_cannot_give_is_told_at_once(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        made_run(tmp_path, made_recipe(**changes), validated=False)


def test_validation_does_not_disturb_what_learns(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run")
    assert isinstance(run.training_step, MetricStep)
    run.training_step.validation = lambda network: (
        float(torch.rand(1)) + 0 * len([*network.parameters()])
    )
    before = torch.get_rng_state()
    run.validate()
    assert torch.equal(torch.get_rng_state(), before)
    assert run.options.device == CPU


class Impatient:
    """Draws batches, and sends the process a signal before one of them."""

    def __init__(self, batches: BatchSource, at: int, number: signal.Signals) -> None:
        self._batches, self._at, self._number, self._drawn = batches, at, number, 0

    def draw(self) -> Batch:
        self._drawn += 1
        if self._drawn == self._at:
            signal.raise_signal(self._number)
        return self._batches.draw()

    def state(self) -> Tensor:
        return self._batches.state()

    def restore(self, state: Tensor) -> None:
        self._batches.restore(state)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_after_its_step_and_ends_as_if_it_never_was(
    tmp_path: Path, number: signal.Signals
) -> None:
    train(whole := made_run(tmp_path / "whole"))
    before = signal.getsignal(number)
    batches = Impatient(make_batches(made_recipe(), made_data()), 6, number)
    with pytest.raises(RunInterruptedError, match=r"stopped after step 6 \(50%\).*checkpoint\.pt"):
        train(made_run(tmp_path / "run", batches=batches))
    assert signal.getsignal(number) is before
    second = made_run(tmp_path / "run", resume=True)
    assert second.step_number == 6
    train(second)
    expected, ended = numbers_in(whole.state()), numbers_in(second.state())
    assert [name for name in expected if not torch.equal(expected[name], ended[name])] == []
    assert (tmp_path / "whole/log.jsonl").read_text() == (tmp_path / "run/log.jsonl").read_text()


def test_asked_a_second_time_a_run_ends_at_once() -> None:
    with interruptible() as asked:
        signal.raise_signal(signal.SIGINT)
        assert asked.to_stop
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_log_that_is_no_terminal_has_lines_and_no_more_than_it_can_bear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(made_run(tmp_path / "run"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("tiny: step 2, 17%, ")
    assert lines[-1].startswith("tiny: step 12, 100%, ")
    assert "loss " in lines[-1]
    assert "done in 0:0" in lines[-1]
    assert len(lines) < 6  # all twelve steps take less than the time of a line
    written = io.StringIO()
    console = Console(file=written, width=40)
    every = ProgressLines("run", console, every_seconds=0.0)
    for step in range(1, 5):
        every.show(RunProgress(step, step / 4, 1.0, 2.0, 0.5))
    told = written.getvalue().splitlines()
    assert len(told) == 4
    assert told[1].startswith("run: step 2, 50%, 2.0 steps/s, loss 1.0000, best 0.5000, 0:00:")
