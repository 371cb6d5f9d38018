"""Any run of learn becomes a model folder of the one contract, calibrated on others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from tests.training.export.own_faces import write_identities, write_population
from training.cli.app import app
from training.data.learning_parts import load_parts
from training.engines.learned import learn_recipe
from training.engines.learned_from import LEARNED_FROM
from training.export.package import ExportError
from training.export.parity import made_patterns, measure_parity
from training.foundation.errors import DataError
from training.networks.backbones import make_backbone
from training.networks.door_crop import DoorCropNetwork
from training.networks.served import save_module
from training.recipes.metric_recipe import BackboneRecipe, MetricRecipe

CPU = torch.device("cpu")
CROPS = made_patterns()[:3]


def learned_run(root: Path, sources: list[dict[str, str]], **changes: object) -> Path:
    """Learn for four steps on 32 px and return the run's folder."""
    recipe = MetricRecipe.model_validate(
        {
            "name": "tiny",
            "steps": 4,
            "evaluate_every": 4,
            "data": {
                "sources": sources,
                "validation": 0.0,
                "test": 0.4,
                "transform": {"size": 32, "fit": "stretch"},
            },
            "backbone": {"name": "small-cnn", "embedding_dim": 24},
            "loss": {"name": "triplet"},
            "sampler": {"name": "identities", "identities": 3, "images": 2},
            **changes,
        }
    ).on(CPU)
    learn_recipe(recipe, load_parts(recipe), root / "run", CPU)
    return root / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("learned")
    write_identities(root / "faces", [f"l{n}" for n in range(6)], 4, first=100)
    return learned_run(root, [{"kind": "folders", "path": str(root / "faces")}])


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_population(tmp_path_factory.mktemp("population"))


def export(run: Path, out: Path, *more: str) -> str:
    """Run the command; an error is raised as it is."""
    words = ["export", "--checkpoint", str(run), "--version", "1", "--out", str(out), *more]
    done = CliRunner().invoke(app, words)
    if done.exception is not None:
        raise done.exception
    return done.output


@pytest.fixture(scope="module")
def folder(
    run: Path, population: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("models")
    people, strangers = map(str, population)
    said = export(
        run, out, "--people", people, "--strangers", strangers, "--licence", "CC0, made here"
    )
    assert "none of them was learned from" in said
    assert "24 strangers, 276 pairs" in said
    return out / "1"


@pytest.mark.parametrize("runtime", [Runtime.TORCHSCRIPT, Runtime.OPENVINO])
def test_the_service_loads_a_learned_network(folder: Path, runtime: Runtime) -> None:
    embedder = load_embedder(folder, runtime, workers=1)
    assert embedder.manifest.embedding_dim == 24
    assert embedder.manifest.name == "tiny"
    given = np.stack(embedder.embed(CROPS))
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)


def test_the_card_has_the_runs_figures_and_the_licence(folder: Path, run: Path) -> None:
    card = (folder / "README.md").read_text()
    result = json.loads((run / "result.json").read_text())
    assert f"| R@1 | {result['measures']['R@1']:.4f} |" in card
    assert "CC0, made here" in card
    assert "None of them was learned from" in card
    assert "24 strangers support no more" in card
    document = json.loads((folder / "manifest.json").read_text())
    assert document["origin"]["kind"] == "learned"
    assert document["support"]["strangers"] == 24
    assert document["parity"]["eager_difference"] < 1e-2


def test_a_licence_that_nobody_stated_is_said_to_be_none(
    run: Path, population: tuple[Path, Path], tmp_path: Path
) -> None:
    people, strangers = map(str, population)
    said = export(run, tmp_path, "--people", people, "--strangers", strangers)
    assert "no --licence was stated" in said
    assert "Not stated: that of the pictures" in (tmp_path / "1" / "README.md").read_text()


def test_those_learned_from_calibrate_nothing(run: Path, tmp_path: Path) -> None:
    """Those that the run itself held out may."""
    faces = json.loads((run / "recipe.json").read_text())["data"]["sources"][0]["path"]
    write_identities(tmp_path / "strangers", [f"s{n}" for n in range(12)], 1, first=200)
    write_identities(tmp_path / "known", [f"k{n}" for n in range(4)], 2, first=300)
    with pytest.raises(DataError, match="4 of the identities were learned from"):
        export(run, tmp_path, "--people", faces, "--strangers", str(tmp_path / "strangers"))
    for person in Path(faces).iterdir():
        shutil.copytree(person, tmp_path / "known" / person.name)
    words = ["--people", str(tmp_path / "known"), "--strangers", str(tmp_path / "strangers")]
    said = export(run, tmp_path / "out", *words, "--leave-out-learned")
    assert "4 identities were learned from and are left out" in said
    document = json.loads((tmp_path / "out" / "1" / "manifest.json").read_text())
    assert document["support"]["people"] == 6


def test_what_was_exported_is_calibrated_anew_on_others(
    folder: Path, population: tuple[Path, Path], tmp_path: Path
) -> None:
    copied = tmp_path / "model"
    copied.mkdir()
    for file in folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    write_identities(tmp_path / "strangers", [f"s{n}" for n in range(14)], 1, first=200)
    words = ["--people", str(population[0]), "--strangers", str(tmp_path / "strangers")]
    done = CliRunner().invoke(app, ["calibrate", "--model", str(copied), *words])
    assert done.exit_code == 0, done.output
    document = json.loads((copied / "manifest.json").read_text())
    assert document["support"]["strangers"] == 14
    load_embedder(copied, Runtime.OPENVINO, workers=1)
    (copied / LEARNED_FROM).unlink()
    done = CliRunner().invoke(app, ["calibrate", "--model", str(copied), *words])
    assert isinstance(done.exception, ExportError)


def test_a_run_without_a_record_is_read_again(
    run: Path, population: tuple[Path, Path], tmp_path: Path
) -> None:
    old = tmp_path / "run"
    old.mkdir()
    for name in ("best.pt", "result.json"):
        (old / name).write_bytes((run / name).read_bytes())
    people, strangers = map(str, population)
    words = ["--people", people, "--strangers", strangers]
    assert "none of them was learned from" in export(old, tmp_path / "out", *words)
    assert (tmp_path / "out" / "1" / LEARNED_FROM).read_text() == (run / LEARNED_FROM).read_text()
    result = json.loads((old / "result.json").read_text())
    result["run"]["train"] = "0" * 64
    (old / "result.json").write_text(json.dumps(result))
    with pytest.raises(ExportError, match="are others now"):
        export(old, tmp_path / "other", *words)


def test_people_are_asked_for_and_a_size_may_be_set(
    run: Path, population: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="--people names a folder"):
        export(run, tmp_path)
    people, strangers = map(str, population)
    with pytest.raises(ExportError, match="holds no network"):
        export(tmp_path, tmp_path / "out", "--people", people, "--strangers", strangers)
    (run.parent / "unfinished").mkdir()
    (run.parent / "unfinished" / "best.pt").write_bytes((run / "best.pt").read_bytes())
    with pytest.raises(ExportError, match="exported when it has ended"):
        export(run.parent / "unfinished", tmp_path / "out", "--people", people)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet34", "efficientnet-b0", "efficientnet-lite0"])
def test_networks_of_others_are_traced_and_need_no_torchvision(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    recipe = BackboneRecipe.model_validate({"name": name, "embedding_dim": 20})
    network = DoorCropNetwork(make_backbone(recipe).eval(), 48, grey=False).eval()
    path = tmp_path / "embedder.pt"
    save_module(network, path, half=True)
    assert measure_parity(network, path, CROPS, "float16").holds
    script = (
        "import sys\n"
        "sys.modules['torchvision'] = sys.modules['timm'] = None\n"
        "import torch\n"
        f"module = torch.jit.freeze(torch.jit.load({str(path)!r}).float().eval())\n"
        "out = module(torch.zeros(3, 3, 112, 112, dtype=torch.uint8))\n"
        "sys.exit(tuple(out.shape) != (3, 20))"
    )
    words = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_network_of_grey_pictures_is_shown_none_of_the_colours() -> None:
    torch.manual_seed(0)
    backbone = make_backbone(BackboneRecipe(embedding_dim=8)).eval()
    crops = torch.from_numpy(CROPS).float()
    grey = (crops * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    with torch.inference_mode():
        given = DoorCropNetwork(backbone, 112, grey=True)(crops)
        assert torch.allclose(given, backbone(grey.expand(-1, 3, -1, -1)), atol=1e-5)
        assert not torch.allclose(given, DoorCropNetwork(backbone, 112, grey=False)(crops))
