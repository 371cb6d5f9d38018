"""The whole command on pictures in folders, and a teacher of TorchScript."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest
import torch
from torch import Tensor, nn
from typer import Typer
from typer.testing import CliRunner

from tests.training.data.made_images import write_image
from tests.training.data.readers.test_stem_pairs import write_pairs
from tests.training.engines.small_runs import CPU, made_data
from training.cli.app import command_to_resume
from training.cli.learn import learn
from training.data.learning_parts import load_parts
from training.engines.learned import saved_result
from training.engines.run_folder import RunExistsError
from training.foundation.errors import CheckpointError, DataError
from training.recipes.metric_recipe import TeacherTermRecipe, load_metric_recipe
from training.teachers.plain import plain_targets

RECIPE = """
name = "made"
steps = 4
evaluate_every = 2
bar = {bar}

[data]
sources = [{{ kind = "folders", path = "{folder}" }}]
divide = "identities"
transform = {{ size = 16 }}

[backbone]
name = "small-cnn"
embedding_dim = 8

[sampler]
name = "identities"
identities = 3
images = 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = made_data(identities=8, each=4)
    for key, image in zip(data.keys, data.images, strict=True):
        path = tmp_path / "people" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image.permute(1, 2, 0).numpy())
    (tmp_path / "people/0/broken.png").write_bytes(b"no picture")
    return tmp_path / "people"


def run(*words: str) -> tuple[int, str]:
    app = Typer()
    app.command()(learn)
    result = CliRunner().invoke(app, [*words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_the_command_learns_judges_and_fails_below_its_bar(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "made.toml"
    recipe.write_text(RECIPE.format(bar=0.0, folder=folder))
    code, said = run(str(recipe), "--run", str(tmp_path / "run"), "--device", "cpu")
    assert code == 0
    assert "R@1 on 8 held-out images: " in said
    assert "unreadable: " in said
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert f"R@1 on 8 held-out images: {result['measures']['R@1']:.4f}" in said
    loaded = load_metric_recipe(str(recipe)).on(CPU)
    parts = load_parts(loaded)
    kept = saved_result(loaded, parts, tmp_path / "run")
    assert kept is not None
    assert kept.embeddings.shape == (8, 8)
    other_seed = loaded.model_copy(update={"seed": 3})
    assert saved_result(other_seed, parts, tmp_path / "run") is None

    recipe.write_text(RECIPE.format(bar=1.0, folder=folder).replace("steps = 4", "steps = 1"))
    for image in folder.glob("*/*.png"):  # nothing left to tell anybody by
        if image.name != "broken.png":
            noise = torch.randint(0, 255, (16, 16, 3), dtype=torch.uint8)
            assert cv2.imwrite(str(image), noise.numpy())
    code, said = run(str(recipe), "--run", str(tmp_path / "bad"), "--seed", "5")
    assert code == 1
    assert "below the bar of 1.0000" in said


def test_a_run_is_replaced_only_by_force_and_goes_on_with_its_own_recipe(
    folder: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "made.toml"
    recipe.write_text(RECIPE.format(bar=0.0, folder=folder))
    words = [str(recipe), "--run", str(tmp_path / "run"), "--device", "cpu", "--no-pictures"]
    setting = ["--set", "loss.margin=0.5", "--set", "steps=2"]
    assert run(*words, *setting)[0] == 0
    record = json.loads((tmp_path / "run/recipe.json").read_text())
    wanted = load_metric_recipe(str(recipe), setting[1::2]).on(CPU)
    assert record == json.loads(wanted.model_dump_json())  # whole, not what was set alone
    weights = (tmp_path / "run/best.pt").read_bytes()
    for refused in ([], setting):
        with pytest.raises(RunExistsError, match="--resume goes on with it, --force replaces it"):
            run(*words, *refused)
    with pytest.raises(
        CheckpointError, match=r"steps was 2 and is 4; loss\.margin was 0\.5 and is"
    ):
        run(*words, "--resume")
    with pytest.raises(DataError, match="give one of them"):
        run(*words, "--resume", "--force")
    assert (tmp_path / "run/best.pt").read_bytes() == weights
    assert run(*words, *setting, "--resume")[0] == 0
    assert run(*words, "--force")[0] == 0
    assert json.loads((tmp_path / "run/recipe.json").read_text())["steps"] == 4


def test_the_line_to_go_on_with_is_the_line_that_was_given() -> None:
    assert command_to_resume(["learn", "a b.toml", "--force", "--set", "x=1"]) == (
        "python -m training learn 'a b.toml' --set x=1 --resume"
    )
    assert command_to_resume(["learn", "--resume"]).count("--resume") == 1
    assert command_to_resume(["build", "--version", "1"]) == "python -m training build --version 1"


def test_a_single_image_stops_the_run_before_it_begins(folder: Path, tmp_path: Path) -> None:
    for image in sorted(folder.glob("*/*.png")):
        if len(list(image.parent.glob("*.png"))) > 1 and image.parent.name != "7":
            image.unlink()
    recipe = tmp_path / "made.toml"
    recipe.write_text(RECIPE.format(bar=0.0, folder=folder))
    with pytest.raises(DataError, match="needs two images of every identity"):
        run(str(recipe), "--run", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("part", ["test", "validation"])
def test_what_could_not_be_judged_stops_the_run_before_it_begins(
    folder: Path, tmp_path: Path, part: str
) -> None:
    text = RECIPE.format(bar=0.0, folder=folder).replace('"identities"', '"images"', 1)
    shares = {"test": "test = 0.25", "validation": "test = 0.5\nvalidation = 0.25"}[part]
    recipe = tmp_path / "made.toml"
    recipe.write_text("patience = 2\n" + text.replace("[data]", f"[data]\n{shares}"))
    with pytest.raises(DataError, match=f"the {part} part has 8 images of 8 identities, and R@1"):
        run(str(recipe), "--run", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_one_held_out_identity_has_nobody_to_be_told_from(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "made.toml"
    text = RECIPE.format(bar=0.0, folder=folder)
    recipe.write_text(text.replace("[data]", "[data]\ntest = 0.1"))
    with pytest.raises(DataError, match="test part has 4 images of 1 identities"):
        run(str(recipe), "--run", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_pairs_by_stem_are_learned_without_their_leftovers_where_the_recipe_says_so(
    tmp_path: Path,
) -> None:
    root = write_pairs(tmp_path / "pairs", [f"{n}.png" for n in range(12)], ["x.png"])
    for number in range(12):
        write_image(root / "right" / f"{number}.png", number)
    recipe = tmp_path / "made.toml"
    text = RECIPE.format(bar=0.0, folder=root).replace('"folders"', '"stem_pairs"')
    recipe.write_text(text)
    with pytest.raises(DataError, match=r"1 pictures without a partner .*: right/x"):
        run(str(recipe), "--run", str(tmp_path / "run"))
    recipe.write_text(text.replace("path =", 'leftovers = "leave_out", path ='))
    code, said = run(str(recipe), "--run", str(tmp_path / "run"), "--device", "cpu")
    assert code == 0, said
    assert "test: 6 images of 3 identities" in said


def test_a_list_of_lfw_pairs_is_judged_in_the_report_and_none_of_lfw_is_learned(
    folder: Path, tmp_path: Path
) -> None:
    for person in range(6):
        for shot in (1, 2):
            name = f"Person_{person}"
            write_image(tmp_path / "lfw" / name / f"{name}_{shot:04d}.png", 10 * person + shot)
    lines = ["3\t2"]
    for fold in range(3):
        lines += [f"Person_{n}\t1\t2" for n in (2 * fold, 2 * fold + 1)]
        lines += [f"Person_{n}\t1\tPerson_{(n + 1) % 6}\t2" for n in (2 * fold, 2 * fold + 1)]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    lfw = f'{{{{ kind = "lfw", path = "{tmp_path}/lfw", pairs = "{tmp_path}/pairs.txt" }}}}'
    text = RECIPE.replace('{folder}" }}]', f'{{folder}}" }}}}, {lfw}]').replace(
        'divide = "identities"', 'divide = "split"\nvalidation = 0.5'
    )
    recipe = tmp_path / "made.toml"
    recipe.write_text(text.format(bar=0.0, folder=folder))
    code, said = run(str(recipe), "--run", str(tmp_path / "run"), "--device", "cpu")
    assert code == 0, said
    assert "test: 12 images of 6 identities" in said
    report = (tmp_path / "run" / "report.html").read_text()
    assert "lfw, View 2: 12 of 12 listed pairs have both images and are judged" in report
    assert "accuracy, 3 folds" in report


class Teacher(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.float().mean(dim=(2, 3)) - torch.tensor([100.0, 110.0, 120.0])


def test_a_teacher_is_asked_once_and_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "teacher.pt"
    torch.jit.script(Teacher()).save(str(path))
    images = made_data().images
    similar = TeacherTermRecipe(path=path, kind="similarity")
    targets = plain_targets(similar, images, 8, CPU)
    assert torch.equal(targets, Teacher()(images))
    assert plain_targets(TeacherTermRecipe(path=path), images, 3, CPU).shape == (30, 3)
    with pytest.raises(DataError, match="3 numbers, the network's 8"):
        plain_targets(TeacherTermRecipe(path=path), images, 8, CPU)
    with pytest.raises(CheckpointError, match="does not exist"):
        plain_targets(TeacherTermRecipe(path=tmp_path / "none.pt"), images, 3, CPU)
    with pytest.raises(CheckpointError, match="no teacher for RGB bytes of 16 px"):
        plain_targets(similar, images[:, :1].expand(-1, 2, -1, -1), 3, CPU)
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="is no teacher"):
        plain_targets(similar, images, 3, CPU)
