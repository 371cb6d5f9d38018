from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.runtime import Runtime
from app.embedding.load import load_embedder
from tests.training.evaluation.made_people import NameEmbedder, write_evaluation_data
from tests.training.made_data import tiny_recipe
from training.calibration.people import calibrate_on
from training.calibration.results import MANIFEST_KEYS, Calibration
from training.data.crops import CropSet
from training.engines.starts import exported_state, load_exported
from training.evaluation.evaluate import evaluate_embedder
from training.export.manifest import calibration_keys
from training.export.package import (
    Calibrator,
    ExportError,
    card_of,
    export_model,
    keep_beside,
    keep_proof,
    read_training,
    write_module,
)
from training.export.parity import made_patterns, measure_parity
from training.export.provenance import DataFile, data_files
from training.foundation.arrays import Matrix
from training.foundation.checkpoints import save_checkpoint
from training.foundation.files import file_hash, folder_made_whole, write_text
from training.foundation.versions import library_versions
from training.networks.mobile_face_net import MobileFaceNetwork
from training.networks.served import load_module, save_module
from training.networks.student import StudentNetwork
from training.networks.students import make_student
from training.recipes.build_recipe import load_build_recipe
from training.recipes.recipe import Recipe

CPU = torch.device("cpu")
PATTERNS = made_patterns()[:6]
SETTINGS = load_build_recipe().calibrate


class FileEmbedder(NameEmbedder):
    """Says what ``NameEmbedder`` says, in the name of a model file."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.sha256 = file_hash(path)

    def embed(self, crops: CropSet) -> Matrix:
        return NameEmbedder.embed(self, crops)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_evaluation_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = tiny_recipe()
    torch.manual_seed(0)
    student = make_student(recipe.student)
    student.train()
    with torch.no_grad():  # so that the batch norms have something to say
        student(torch.from_numpy(PATTERNS).float())
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    state = {
        "recipe": recipe.model_dump(mode="json"),
        "student": student.state_dict(),
        "step_number": 6,
        "elapsed_seconds": 3.0,
    }
    save_checkpoint(path, state)
    return path


def calibrator(root: Path, cache: Path) -> Calibrator:
    def calibrate(path: Path, name: str) -> Calibration:
        return calibrate_on(FileEmbedder(path, name), root, tiny_recipe(), cache, CPU, SETTINGS)

    return calibrate


@pytest.fixture(scope="module")
def folder(root: Path, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("models") / "0.1.0"
    make_calibration = calibrator(root, target.parent / "cache")

    def fingerprints(recipe: Recipe) -> tuple[DataFile, ...]:
        return data_files(recipe, root)

    export_model(
        checkpoint, target, "made", PATTERNS, make_calibration, fingerprints, replace=False
    )
    return target


@pytest.mark.parametrize("runtime", [Runtime.TORCHSCRIPT, Runtime.OPENVINO])
def test_the_service_loads_what_export_wrote(folder: Path, runtime: Runtime) -> None:
    assert {file.name for file in folder.iterdir()} == {"embedder.pt", "manifest.json", "README.md"}
    embedder = load_embedder(folder, runtime, workers=1)
    assert embedder.manifest.model_version.startswith("made-0.1.0+")
    (answer,) = embedder.embed(golden_input(112))
    golden = np.array(embedder.manifest.golden_embedding)
    assert float(answer @ golden) > 0.99999


def test_the_service_refuses_a_file_that_was_touched(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "embedder.pt").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ModelArtifactError, match="SHA-256"):
        load_embedder(tmp_path, Runtime.TORCHSCRIPT, workers=1)


def test_a_student_of_the_published_crop_goes_on_from_its_export(tmp_path: Path) -> None:
    torch.manual_seed(1)
    exported, fresh = (MobileFaceNetwork(published_crop=True).eval() for _ in range(2))
    save_module(exported, tmp_path / "embedder.pt", half=False)
    load_exported(fresh, tmp_path / "embedder.pt")
    pictures = torch.rand(2, 3, 112, 112) * 255
    with torch.inference_mode():
        assert torch.equal(fresh(pictures), exported(pictures))


def test_training_continues_from_the_exported_weights(folder: Path, checkpoint: Path) -> None:
    student, _ = read_training(checkpoint)
    state = exported_state(folder / "embedder.pt")
    again = make_student(tiny_recipe().student)
    again.load_state_dict(state)
    for name, weight in student.state_dict().items():
        torch.testing.assert_close(state[name], weight, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(("half", "cosine"), [(True, 0.9999), (False, 0.999999)])
def test_export_keeps_what_the_student_says(
    tmp_path: Path, checkpoint: Path, half: bool, cosine: float
) -> None:
    student, _ = read_training(checkpoint)
    path = tmp_path / "embedder.pt"
    save_module(student, path, half=half)
    parity = measure_parity(student, path, PATTERNS, "made")
    assert parity.holds
    assert parity.min_cosine > cosine
    output = load_module(path, CPU)(torch.from_numpy(PATTERNS))
    assert output.dtype == torch.float32
    torch.testing.assert_close(output.norm(dim=1), torch.ones(len(output)))


def test_the_same_network_is_the_same_file_and_names_no_folder_of_the_machine(
    tmp_path: Path, checkpoint: Path
) -> None:
    student, _ = read_training(checkpoint)
    files = [tmp_path / name / "embedder.pt" for name in ("one", "two")]
    for file in files:
        file.parent.mkdir()
        save_module(student, file, half=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    code = Path(__file__).parents[3]
    assert code.as_posix().encode() not in files[0].read_bytes()
    with zipfile.ZipFile(files[0]) as archive:
        assert not [name for name in archive.namelist() if "debug" in name]


def test_half_precision_halves_the_file(tmp_path: Path) -> None:
    student = StudentNetwork((16, 32, 64, 128), (1, 1, 1, 1), 64).eval()
    for half in (True, False):
        save_module(student, tmp_path / f"{half}.pt", half=half)
    sizes = [(tmp_path / f"{half}.pt").stat().st_size for half in (True, False)]
    assert sizes[0] < 0.65 * sizes[1]


def test_weights_that_fp16_cannot_hold_are_kept_in_fp32(tmp_path: Path) -> None:
    student = StudentNetwork((8, 8, 8, 8), (1, 1, 1, 1), 12).eval()
    with torch.no_grad():
        student.head.project.weight.mul_(1e-9)
        student.head.project.bias.mul_(1e-9)
    assert write_module(student, tmp_path / "embedder.pt", PATTERNS).weights == "float32"


def test_a_network_that_gives_no_numbers_is_not_exported(tmp_path: Path) -> None:
    student = StudentNetwork((8, 8, 8, 8), (1, 1, 1, 1), 12).eval()
    with torch.no_grad():
        student.head.project.bias.fill_(float("nan"))
    with pytest.raises(ExportError, match="disagrees"):
        write_module(student, tmp_path / "embedder.pt", PATTERNS)


def test_the_manifest_says_what_made_the_model(folder: Path, root: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    assert document["origin"]["recipe"] == tiny_recipe().model_dump(mode="json")
    assert document["parity"]["eager_difference"] <= document["parity"]["tolerance"]
    assert document["libraries"].keys() == library_versions().keys()
    hashes = {entry["path"]: entry["sha256"] for entry in document["data"]}
    assert hashes["strangers.csv"] == file_hash(root / "strangers.csv")
    assert hashes["one.pt"] is None
    assert document["calibration_evidence"]["costs"]


def test_the_card_has_its_figures_only_after_an_evaluation(
    folder: Path, root: Path, tmp_path: Path
) -> None:
    assert "Not measured yet" in (folder / "README.md").read_text()
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    embedder = FileEmbedder(tmp_path / "embedder.pt", "made-0.1.0")
    result = evaluate_embedder(embedder, root, 0.5)
    (tmp_path / "evaluation.json").write_text(result.model_dump_json())
    card = card_of(tmp_path)
    assert f"{result.lfw.accuracy.value:.4f}" in card
    assert f"--init-from {tmp_path.as_posix()}/embedder.pt" in card
    assert "north female" in card

    (tmp_path / "rival").mkdir()
    with pytest.raises(ExportError, match="no figures to compare with"):
        keep_beside(tmp_path, tmp_path / "rival")
    rival = result.model_copy(update={"model": "rival-1", "sha256": "1" * 64})
    (tmp_path / "rival" / "evaluation.json").write_text(rival.model_dump_json())
    keep_beside(tmp_path, tmp_path / "rival")
    assert "## Beside rival-1" in card_of(tmp_path)

    proof = tmp_path / "rival" / "proof.md"
    with pytest.raises(ExportError, match="no proof of a model"):
        keep_proof(tmp_path, proof)
    proof.write_text("**Kept**\n\n| stated | met |\n")
    proof.with_suffix(".json").write_text(json.dumps({"sha256": "1" * 64}))
    with pytest.raises(ExportError, match="of another model"):
        keep_proof(tmp_path, proof)
    proof.with_suffix(".json").write_text(json.dumps({"sha256": embedder.sha256}))
    proof.with_name("burst.md").write_text("**Bursts**\n")
    keep_proof(tmp_path, proof)
    card = card_of(tmp_path)
    assert "## Promises, kept" in card
    assert "| stated | met |" in card
    assert "**Bursts**" in card

    (tmp_path / "recognisability.md").write_text("**Refused**\n\n| odd people |\n")
    assert "| odd people |" not in card_of(tmp_path)  # the manifest has no centres
    document = json.loads((tmp_path / "manifest.json").read_text())
    document["recognisability"] = {"evidence": "made of nothing"}
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    assert "## Recognisability" in card_of(tmp_path)
    assert "made of nothing" in card_of(tmp_path)
    assert "| odd people |" in card_of(tmp_path)

    other = result.model_copy(update={"sha256": "0" * 64})
    (tmp_path / "evaluation.json").write_text(other.model_dump_json())
    with pytest.raises(ExportError, match="another model"):
        card_of(tmp_path)


def test_a_version_is_not_overwritten_unasked(folder: Path, checkpoint: Path) -> None:
    def never(path: Path, name: str) -> Calibration:
        raise AssertionError(path, name)

    with pytest.raises(FileExistsError):
        export_model(checkpoint, folder, "made", PATTERNS, never, lambda _: (), replace=False)


def test_a_calibration_of_another_file_is_refused(checkpoint: Path, folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    parts = {key: document[key] for key in MANIFEST_KEYS}
    foreign = Calibration.model_validate({**document["calibration_evidence"], **parts}).model_copy(
        update={"sha256": "0" * 64}
    )
    assert calibration_keys(foreign)["thresholds"] == document["thresholds"]
    with pytest.raises(ExportError, match="another model file"):
        export_model(
            checkpoint,
            folder.with_name("0.2.0"),
            "made",
            PATTERNS,
            lambda _path, _name: foreign,
            lambda _: (),
            replace=False,
        )
    assert not folder.with_name("0.2.0").exists()


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "1.0.0"
    with pytest.raises(IsADirectoryError), folder_made_whole(target, replace=False) as partial:
        partial.write_text("")
    assert list(tmp_path.iterdir()) == []
    with folder_made_whole(target, replace=False) as partial:
        (partial / "first").write_text("")
    with folder_made_whole(target, replace=True) as partial:
        (partial / "second").write_text("")
    assert [file.name for file in target.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [target]


def test_text_replaces_text(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "card.md", "one")
    write_text(tmp_path / "deep" / "card.md", "two")
    assert [file.read_text() for file in (tmp_path / "deep").iterdir()] == ["two"]
