from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from tests.training.made_data import tiny_recipe, write_tiny_data
from tests.training.networks.published.published_file import random_tensors, write_published
from training.data.sources import read_sources
from training.engines.distillation import DistillationStep, distillation_run, resolution_at
from training.engines.embedding import embed_crops
from training.engines.optimisers import learning_rate_factor
from training.engines.run import Run, RunOptions, train
from training.engines.run_folder import RunFolder
from training.engines.targets import TargetSource
from training.foundation.checkpoints import load_checkpoint
from training.foundation.errors import CheckpointError, TrainingDivergedError
from training.networks.student import StudentNetwork
from training.recipes.documents import RECIPES
from training.recipes.recipe import Recipe, ResidualRecipe, load_recipe

CPU = torch.device("cpu")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_tiny_data(tmp_path / "data")


def make_run(
    recipe: Recipe,
    data: Path,
    folder: Path,
    *,
    resume: bool = False,
    minutes: float | None = None,
    stop_after: int | None = None,
    checkpoint_minutes: float = 5.0,
    initial_weights: Path | None = None,
    force: bool = False,
) -> Run:
    """Return the run of a distillation on the data of ``write_tiny_data``."""
    crops = read_sources(recipe, data)
    targets = TargetSource(recipe, crops, data, data / "cache", CPU)
    options = RunOptions(
        RunFolder(folder), CPU, resume, minutes, stop_after, checkpoint_minutes, force
    )
    return distillation_run(recipe, crops, targets, options, initial_weights)


def distillation_of(run: Run) -> DistillationStep:
    """Return what a run of ``make_run`` does at each step, with its crops and targets."""
    assert isinstance(run.training_step, DistillationStep)
    return run.training_step


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"teacher_view": "augmented", "augment": {"mixup": 0.5}},
        {"correction": {"steps": 3, "batch_size": 16, "embedding_dim": 12}},
        {
            "teacher_view": "augmented",
            "correction": {"steps": 3, "batch_size": 16, "embedding_dim": 12},
        },
    ],
)
def test_a_run_trains_logs_and_saves(
    data: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    run = make_run(tiny_recipe(**changes), data, tmp_path / "run")
    train(run)
    state = load_checkpoint(tmp_path / "run" / "checkpoint.pt", CPU)
    assert state["step_number"] == 6
    assert Recipe.model_validate(state["recipe"]) == tiny_recipe(**changes).on(CPU)
    entry = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert entry["progress"] == 1.0
    assert list((tmp_path / "run").glob("events.out.tfevents.*"))
    embedded = embed_crops(run.network, distillation_of(run).crops, CPU)
    assert embedded.shape == (30, 12)
    assert torch.allclose(embedded.norm(dim=1), torch.ones(30), atol=1e-5)


@pytest.mark.slow
def test_training_brings_the_student_near_its_teachers(data: Path, tmp_path: Path) -> None:
    optimiser = {"muon_learning_rate": 0.005}
    recipe = tiny_recipe(steps=120, resolution=[{"until": 1.0, "pixels": 80}], optimiser=optimiser)
    run = make_run(recipe, data, tmp_path / "run")
    first = [run.step() for _ in range(5)]
    for _ in range(110):
        run.step()
    last = [run.step() for _ in range(5)]

    def mean(entries: list[dict[str, float]]) -> float:
        return sum(entry["one"] + entry["two"] for entry in entries) / len(entries)

    assert mean(last) < 0.85 * mean(first)


def test_a_checkpoint_of_another_recipe_or_other_data_is_no_start(
    data: Path, tmp_path: Path
) -> None:
    make_run(tiny_recipe(), data, tmp_path / "run").save()
    with pytest.raises(CheckpointError, match="another recipe"):
        make_run(tiny_recipe(seed=5), data, tmp_path / "run", resume=True)
    with pytest.raises(CheckpointError, match="does not exist"):
        make_run(tiny_recipe(), data, tmp_path / "none", resume=True)
    other = write_tiny_data(tmp_path / "other", pool=13)
    with pytest.raises(CheckpointError, match="other data"):
        make_run(tiny_recipe(), other, tmp_path / "run", resume=True)
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match="cannot be read"):
        make_run(tiny_recipe(), data, tmp_path / "run", resume=True)


def test_a_run_can_start_from_the_weights_of_another(data: Path, tmp_path: Path) -> None:
    first = make_run(tiny_recipe(), data, tmp_path / "first")
    train(first)
    second = make_run(
        tiny_recipe(), data, tmp_path / "second", initial_weights=tmp_path / "first/checkpoint.pt"
    )
    for name, weight in first.network.state_dict().items():
        assert torch.equal(weight, second.network.state_dict()[name])


def tuned_recipe(**changes: object) -> Recipe:
    return tiny_recipe(
        student={"kind": "mobile-face-net", "start": "published.pt", "embedding_dim": 12},
        correction={"steps": 3, "batch_size": 16, "embedding_dim": 12},
        optimiser={"name": "relative-adamw", "weight_decay": 0.0},
        **changes,
    )


@pytest.mark.slow
def test_published_weights_start_near_the_targets_and_come_nearer(
    data: Path, tmp_path: Path
) -> None:
    write_published(data / "published.pt", random_tensors(pool=8))
    short = {"batch_size": 8, "resolution": [{"until": 1.0, "pixels": 80}]}
    run = make_run(tuned_recipe(steps=6, **short), data, tmp_path / "run")
    cold = make_run(
        tiny_recipe(correction={"steps": 3, "batch_size": 16, "embedding_dim": 12}, **short),
        data,
        tmp_path / "cold",
    )
    first = run.step()
    assert first["correction"] < 0.8 * cold.step()["correction"]
    later = [run.step()["correction"] for _ in range(5)]
    assert min(later) < first["correction"]


def test_published_weights_need_a_target_of_their_size() -> None:
    with pytest.raises(ValidationError, match="correction"):
        tiny_recipe(student={"kind": "mobile-face-net", "start": "published.pt"})


def test_a_missing_start_is_told_before_the_first_step(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"published\.pt, do not exist"):
        make_run(tuned_recipe(), data, tmp_path / "run")


def test_a_loss_that_is_no_number_stops_the_run(data: Path, tmp_path: Path) -> None:
    run = make_run(tiny_recipe(), data, tmp_path / "run")
    with torch.no_grad():
        next(run.network.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDivergedError, match="step 0"):
        run.step()


def test_minutes_end_a_run_by_the_clock(data: Path, tmp_path: Path) -> None:
    run = make_run(tiny_recipe(steps=100_000), data, tmp_path / "run", minutes=0.002)
    train(run)
    assert 0 < run.step_number < 1000


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    factors = [learning_rate_factor(n / 100, 0.1) for n in range(101)]
    assert factors[:11] == sorted(factors[:11])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[10] == pytest.approx(1.0)
    assert factors[100] == pytest.approx(0.0)


def test_resolution_follows_the_stages() -> None:
    stages = tiny_recipe().resolution
    assert [resolution_at(p, stages) for p in (0.0, 0.49, 0.5, 1.0)] == [80, 80, 112, 112]


@pytest.mark.parametrize("name", sorted(file.stem for file in RECIPES.glob("*.toml")))
def test_the_shipped_recipes_are_valid(name: str) -> None:
    assert load_recipe(name).name == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 3}, "colour"),
        ({"augment": {"mixup": 0.5}}, "mixup needs"),
        ({"resolution": [{"until": 0.5, "pixels": 80}]}, "until 1.0"),
        ({"sources": [{"name": "a", "paths": ["a"], "share": 0.5}]}, "add up to 1"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        tiny_recipe(**changes)


def test_a_recipe_can_extend_another(tmp_path: Path) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(
        'extends = "all"\nname = "changed"\n'
        "[student]\nwidths = [8, 8, 8, 8]\n"
        "[augment]\ngrey = 0.5\n"
    )
    recipe, base = load_recipe(str(changed)), load_recipe("all")
    assert recipe.student == ResidualRecipe(widths=(8, 8, 8, 8))
    assert recipe.sources == base.sources
    assert recipe.augment.grey == 0.5
    assert recipe.augment.flip == base.augment.flip


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match="known: all"):
        load_recipe("nothing")


def test_the_student_is_of_the_size_asked_for() -> None:
    student = StudentNetwork()
    parameters = sum(weight.numel() for weight in student.parameters())
    assert 1_500_000 < parameters < 6_000_000
    student.eval()
    crops = torch.rand(2, 3, 112, 112) * 255
    with torch.inference_mode():
        assert student(crops).shape == (2, 256)
        assert torch.allclose(student(crops)[:1], student(crops[:1]), atol=1e-4)
