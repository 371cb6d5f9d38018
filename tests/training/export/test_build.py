"""The whole model by one command: every step, skipped and made anew, twice the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from app.domain.golden import golden_input
from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from tests.training.export.small_builds import made_build, write_build_data, write_recipes
from tests.training.made_data import picture, write_tar, write_teacher, write_tiny_data
from tests.training.networks.published.published_file import random_tensors, write_published
from training.cli.build import build as build_command
from training.engines.hubness import MIN_PEOPLE
from training.engines.interpolation import TRAINED_SHARE
from training.engines.starts import exported_state
from training.evaluation.embedders import read_manifest
from training.evaluation.served import newest_model
from training.export.build import build_model, planned_steps
from training.export.origin import BuildOrigin, JointOrigin
from training.export.recovered import recovered_checkpoint
from training.export.steps import StepRunner, made_files
from training.foundation.checkpoints import load_checkpoint, save_checkpoint
from training.foundation.device import MALLOC_SETTINGS
from training.foundation.errors import CheckpointError, DataError
from training.networks.published.sface import EMBEDDING_DIM
from training.networks.served import save_module
from training.networks.students import make_student
from training.recipes.build_recipe import (
    BuildRecipe,
    InterpolateRecipe,
    joined_recipe,
    load_build_recipe,
)
from training.recipes.recipe import Recipe

CPU = torch.device("cpu")
STEPS = ["distill", "export", "calibrate", "recognisability", "evaluate"]
SKIPPED = "skipped, made from the same settings and files"


@dataclass(frozen=True)
class Built:
    """A build from nothing: its folder, its data and what it said."""

    folder: Path
    data: Path
    said: list[str]

    @property
    def target(self) -> Path:
        return self.folder / "models" / "0.1.0"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "run" / "distill" / "checkpoint.pt"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    made = Built(folder, write_build_data(folder / "data"), [])
    build_model(made_build(folder, made.data, made.said))
    return made


def steps_said(said: list[str]) -> dict[str, str]:
    """Return what was said of each step."""
    lines = (line.partition(": ") for line in said)
    return {name: what for name, _, what in lines if name in STEPS}


@pytest.mark.slow
def test_one_recipe_makes_a_model_that_the_service_loads(built: Built) -> None:
    assert steps_said(built.said) == dict.fromkeys(STEPS, "not made yet")
    assert built.said[-1] == f"written: {built.target}"
    assert {file.name for file in built.target.iterdir()} == {
        *("embedder.pt", "manifest.json", "evaluation.json", "recognisability.md", "README.md")
    }
    embedder = load_embedder(built.target, Runtime.TORCHSCRIPT, workers=1)
    assert embedder.manifest.recognisability is not None
    (answer,) = embedder.embed(golden_input(112))
    assert answer.shape == (12,)
    recipe = load_build_recipe(str(built.folder / "recipes" / "made.toml"))
    assert read_manifest(built.target)["build"] == BuildOrigin(recipe=recipe).model_dump(
        mode="json"
    )
    card = (built.target / "README.md").read_text()
    assert "python -m training build --recipe made --version 0.1.0" in card
    assert "## Figures\n\nPlain centre crop" in card
    assert "## Recognisability" in card


@pytest.mark.slow
def test_built_once_more_nothing_is_made(built: Built) -> None:
    before = made_files(built.target)
    said: list[str] = []
    assert build_model(made_build(built.folder, built.data, said)) == built.target
    assert steps_said(said) == dict.fromkeys(STEPS, SKIPPED)
    assert said[-1] == f"unchanged: {built.target}"
    assert made_files(built.target) == before


@pytest.mark.slow
def test_built_again_from_its_checkpoint_it_is_the_same_bytes(built: Built) -> None:
    said: list[str] = []
    again = made_build(
        built.folder,
        built.data,
        said,
        run="again",
        cache="another cache",
        checkpoint=built.checkpoint,
    )
    assert "distill" not in [step.name for step in planned_steps(again)]
    with pytest.raises(FileExistsError, match="another recipe or from another start"):
        build_model(again)
    elsewhere = made_build(
        built.folder / "elsewhere",
        built.data,
        said,
        recipe=again.recipe,
        checkpoint=built.checkpoint,
    )
    found = build_model(elsewhere)
    for name in ("embedder.pt", "evaluation.json", "recognisability.md"):
        assert (found / name).read_bytes() == (built.target / name).read_bytes(), name
    first, second = (dict(read_manifest(folder)) for folder in (built.target, found))
    assert first.pop("build") != second.pop("build")
    assert json.dumps(first) == json.dumps(second)
    assert "--from-checkpoint FILE\n# FILE has the SHA-256" in (found / "README.md").read_text()


@pytest.mark.slow
def test_a_changed_number_makes_anew_what_follows_from_it_and_only_by_force(
    built: Built,
) -> None:
    recipe = load_build_recipe(str(write_recipes(built.folder / "recipes")))
    changed = recipe.model_copy(
        update={"recognisability": recipe.recognisability.model_copy(update={"centres": 3})}
    )
    before = made_files(built.target)
    said: list[str] = []
    with pytest.raises(FileExistsError, match="--force"):
        build_model(made_build(built.folder, built.data, said, changed))
    assert said == []
    assert made_files(built.target) == before
    build_model(made_build(built.folder, built.data, said, changed, force=True))
    assert steps_said(said) == {
        **dict.fromkeys(STEPS[:3], SKIPPED),
        "recognisability": "made anew, other settings: centres",
        "evaluate": "made anew, other files: recognisability",
    }
    after = made_files(built.target)
    assert before["manifest.json"] != after["manifest.json"]
    assert before["embedder.pt"] == after["embedder.pt"]
    (built.target / "embedder.pt").write_bytes(b"of somebody else")
    with pytest.raises(FileExistsError, match=r"differs in embedder\.pt; what was built is in"):
        build_model(made_build(built.folder, built.data, said, changed))
    assert (built.target / "embedder.pt").read_bytes() == b"of somebody else"
    build_model(made_build(built.folder, built.data, said, changed, force=True))
    assert made_files(built.target) == after


def test_missing_data_is_said_before_anything_runs(tmp_path: Path) -> None:
    data = write_build_data(tmp_path / "data")
    for name in ("one.pt", "masks.tar", "lfw-pairs.txt"):
        (data / name).unlink()
    said: list[str] = []
    build = made_build(tmp_path, data, said)
    with pytest.raises(DataError) as caught:
        build_model(build)
    for name in ("one.pt", "masks.tar", "lfw-pairs.txt"):
        assert str(data / name) in str(caught.value)
    assert said == []
    assert not build.run.exists()


@pytest.mark.parametrize("version", ["", ".", "..", "a/b", "../1.0.0"])
def test_a_version_is_the_name_of_a_folder(tmp_path: Path, version: str) -> None:
    with pytest.raises(DataError, match="name of a folder"):
        planned_steps(made_build(tmp_path, tmp_path, [], version=version))


def made_checkpoint(path: Path, recipe: Recipe, share: float = 1.0) -> Path:
    """Write a checkpoint of a student that learned nothing."""
    torch.manual_seed(0)
    save_checkpoint(
        path,
        {
            "recipe": recipe.model_dump(mode="json"),
            "network": make_student(recipe.student).state_dict(),
            "step_number": 3,
            "elapsed_seconds": 1.0,
        }
        | ({} if share == 1 else {TRAINED_SHARE: share}),
    )
    return path


def test_a_start_of_another_recipe_or_share_is_refused(tmp_path: Path) -> None:
    build = made_build(tmp_path, tmp_path, [])
    student = build.recipe.distillation()
    other = made_checkpoint(tmp_path / "o.pt", student.model_copy(update={"name": "other"}))
    with pytest.raises(CheckpointError, match="trained by other, not by small"):
        planned_steps(made_build(tmp_path, tmp_path, [], checkpoint=other))
    half = made_checkpoint(tmp_path / "h.pt", student, 0.5)
    with pytest.raises(CheckpointError, match=r"0\.5 of the way"):
        planned_steps(made_build(tmp_path, tmp_path, [], checkpoint=half))
    back = build.recipe.model_copy(update={"interpolate": InterpolateRecipe(share=0.5)})
    steps = planned_steps(made_build(tmp_path, tmp_path, [], back, checkpoint=half))
    assert "interpolate" not in [step.name for step in steps]
    with pytest.raises(DataError, match="not from both"):
        planned_steps(made_build(tmp_path, tmp_path, [], checkpoint=half, model=tmp_path))


def joint_recipe(folder: Path) -> BuildRecipe:
    """Return a build of a student from published weights, half way back, beside SFace."""
    shipped = joined_recipe(load_build_recipe())
    head = shipped.join.head.model_copy(update={"steps": 3, "batch_size": 16})
    student = """
        extends = "native-open"
        name = "mobile"
        batch_size = 4
        student = { kind = "mobile-face-net", start = "published.pt" }
        resolution = [{ until = 1.0, pixels = 64 }]
        sources = [{ name = "pool", paths = ["pool.tar"], share = 1.0 }]
        correction = { steps = 3, batch_size = 16, embedding_dim = 256 }
        [[teachers]]
        name = "sface"
        path = "two.pt"
        input_size = 112
        channels = "rgb"
    """
    recipe = load_build_recipe(str(write_recipes(folder)))
    (folder / "mobile.toml").write_text(student)
    distill = {"recipe": str(folder / "mobile.toml"), "steps": 1}
    return recipe.model_copy(
        update={
            "distill": recipe.distill.model_copy(update=distill),
            "interpolate": InterpolateRecipe(share=0.5),
            "join": shipped.join.model_copy(update={"head": head}),
            "hubness": shipped.hubness,
        }
    )


@pytest.mark.slow
def test_a_student_goes_half_way_back_and_is_joined_with_sface(tmp_path: Path) -> None:
    data = write_tiny_data(tmp_path / "data", pool=2 * MIN_PEOPLE)
    write_teacher(data / "two.pt", 2, EMBEDDING_DIM)
    write_published(data / "published.pt", random_tensors(pool=8))
    write_tar(data / "val.tar", {f"v/{n}.png": picture(n) for n in range(3)})
    build = made_build(tmp_path, data, [], joint_recipe(tmp_path / "recipes"))
    steps = planned_steps(build)
    assert [step.name for step in steps[:3]] == ["distill", "interpolate", "export"]
    runner = StepRunner(build.run, build.tell)
    for step in steps[:3]:
        runner.run(step)
    state = load_checkpoint(build.run / "interpolate" / "checkpoint.pt", CPU)
    assert state[TRAINED_SHARE] == 0.5
    known = json.loads((build.run / "export" / "network.json").read_text())
    origin = JointOrigin.model_validate(known["origin"])
    assert (origin.trained.trained_share, origin.trained.steps) == (0.5, 1)
    again = StepRunner(tmp_path / "again", build.tell).run(steps[2])
    assert made_files(again) == made_files(build.run / "export")
    assert build.recipe.join is not None
    assert (origin.share, origin.head) == (build.recipe.join.share, build.recipe.join.head)
    weights = exported_state(build.run / "export" / "embedder.pt", "network.first.")
    torch.testing.assert_close(
        weights["project.weight"], state["network"]["project.weight"], atol=1e-3, rtol=1e-3
    )


@pytest.mark.slow
def test_the_shipped_student_comes_out_of_its_model_as_it_went_in(tmp_path: Path) -> None:
    """What is rounded to half precision once is the same numbers whenever it is exported again."""
    folder = newest_model()
    state = recovered_checkpoint(folder)
    recipe = load_build_recipe()
    assert state[TRAINED_SHARE] == (recipe.interpolate and recipe.interpolate.share)
    student = make_student(Recipe.model_validate(state["recipe"]).student)
    student.load_state_dict(state["network"])
    save_module(student, tmp_path / "again.pt", half=True)
    shipped = exported_state(folder / "embedder.pt", "network.first.")
    again = exported_state(tmp_path / "again.pt")
    assert shipped.keys() == again.keys()
    assert all(torch.equal(shipped[name], weights) for name, weights in again.items())
    steps = planned_steps(made_build(tmp_path, tmp_path, [], recipe, model=folder))
    assert [step.name for step in steps] == ["recover", *STEPS[1:-1], "plainness", "evaluate"]


def test_only_what_was_trained_here_has_a_student_to_recover(tmp_path: Path) -> None:
    imported = {
        **dict.fromkeys(("network", "package", "file", "sha256", "licence", "command"), "x"),
        "kind": "imported",
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"origin": imported}))
    with pytest.raises(CheckpointError, match="not trained here"):
        recovered_checkpoint(tmp_path)


def test_the_command_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in MALLOC_SETTINGS.items():
        monkeypatch.setenv(key, value)  # or the command would start this very process again
    monkeypatch.chdir(tmp_path)
    app = Typer()
    app.command()(build_command)
    words = ["--recipe", str(write_recipes(tmp_path / "recipes")), "--version", "0.1.0"]
    result = CliRunner().invoke(app, [*words, "--data", "nowhere", "--device", "cpu"])
    assert isinstance(result.exception, DataError)
    assert "nothing was begun, for these are missing: nowhere/" in str(result.exception)
    assert {path.name for path in tmp_path.iterdir()} == {"recipes"}
