"""A model's converted files: made once, found again, never trusted when they are damaged."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.domain.errors import ModelArtifactError
from app.domain.golden import golden_input
from app.domain.runtime import Runtime
from app.embedding.artifact import ModelArtifact, open_artifact
from app.embedding.load import load_embedder
from app.embedding.prepared import COMMAND, FOLDER, find_prepared, prepare, prepare_apart
from tests.embedding.made_models import TinyEmbedder, write_model
from tests.embedding.test_embedders import Spectrum


@pytest.fixture
def artifact(tmp_path: Path) -> ModelArtifact:
    return open_artifact(write_model(tmp_path / "model"))


def test_what_was_prepared_gives_the_same_embeddings(
    artifact: ModelArtifact, tmp_path: Path
) -> None:
    folder = artifact.path.parent
    crops = golden_input(artifact.manifest.input_size)
    prepare(artifact, tmp_path / "kept")
    direct = load_embedder(folder, Runtime.OPENVINO, 1).embed(crops)
    kept = load_embedder(folder, Runtime.OPENVINO, 1, prepared=tmp_path / "kept").embed(crops)
    assert np.allclose(direct, kept, atol=1e-5)


def test_serving_a_prepared_model_imports_no_torch(artifact: ModelArtifact, tmp_path: Path) -> None:
    """The first load prepares it, in a process of its own, so that even that one needs no torch."""
    script = (
        "import sys; from pathlib import Path; from app.domain.runtime import Runtime\n"
        "from app.embedding.load import load_embedder\n"
        f"load_embedder(Path({str(artifact.path.parent)!r}), Runtime.OPENVINO, 1,"
        f" prepared=Path({str(tmp_path / 'kept')!r}))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert find_prepared(artifact, [tmp_path / "kept"]) is not None


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "record.json"])
@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_file_counts_as_missing(
    artifact: ModelArtifact, tmp_path: Path, name: str, damage: str
) -> None:
    graph = prepare(artifact, tmp_path)
    file = graph.with_name(name)
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-3] if damage == "cut" else content[:-3] + b"!!!")
    assert find_prepared(artifact, [tmp_path]) is None
    assert prepare(artifact, tmp_path) == graph
    assert find_prepared(artifact, [tmp_path]) == graph


def test_a_model_file_of_another_hash_is_not_served_from_the_old_files(tmp_path: Path) -> None:
    old = open_artifact(write_model(tmp_path / "old"))
    new = open_artifact(write_model(tmp_path / "new", module=TinyEmbedder(length=1.0 + 1e-7)))
    prepare(old, tmp_path / "kept")
    assert find_prepared(new, [tmp_path / "kept"]) is None
    prepare(new, tmp_path / "kept")
    assert find_prepared(old, [tmp_path / "kept"]) is None  # nothing piles up
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_what_lies_beside_the_model_is_found_first(artifact: ModelArtifact, tmp_path: Path) -> None:
    """An image's builder prepares the model, and nothing is written when a container starts."""
    prepare(artifact, artifact.path.parent / FOLDER)
    load_embedder(artifact.path.parent, Runtime.OPENVINO, 1, prepared=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_where_nothing_can_be_written_the_model_is_converted_each_time(
    artifact: ModelArtifact, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kept").write_text("a file, not a folder")
    with caplog.at_level(logging.WARNING):
        found = load_embedder(artifact.path.parent, Runtime.OPENVINO, 1, prepared=tmp_path / "kept")
    assert len(found.embed(golden_input(112))) == 1
    assert "could not be prepared" in caplog.text


def test_a_model_that_cannot_be_converted_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", module=Spectrum())
    artifact = open_artifact(folder)
    with pytest.raises(ModelArtifactError):
        prepare(artifact, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []
    assert prepare_apart(artifact, tmp_path / "kept") is None


def test_files_that_do_not_give_the_golden_answer_are_not_kept(tmp_path: Path) -> None:
    """A conversion that changes the model must not be found again by every later start."""

    def another_answer(document: dict[str, object]) -> None:
        golden = document["golden"]
        assert isinstance(golden, dict)
        golden["embedding"] = [-value for value in golden["embedding"]]

    artifact = open_artifact(write_model(tmp_path / "model", another_answer))
    with pytest.raises(ModelArtifactError, match="golden"):
        prepare(artifact, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def run_without_torch(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that cannot import torch, as in the image."""
    hide = "import sys; sys.modules['torch'] = None; sys.modules['torch.jit'] = None\n"
    return subprocess.run(
        [sys.executable, "-c", hide + code], capture_output=True, text=True, check=False
    )


def load_without_torch(folder: Path, runtime: Runtime, kept: Path) -> str:
    """Return the name and text of the error that a load without torch raises, or nothing."""
    run = run_without_torch(
        "from pathlib import Path; from app.domain.errors import FacegateError\n"
        "from app.domain.runtime import Runtime; from app.embedding.load import load_embedder\n"
        f"try: load_embedder(Path({str(folder)!r}), Runtime({runtime.value!r}), 1,"
        f" prepared=Path({str(kept)!r}))\n"
        "except FacegateError as error: print(type(error).__name__, error)"
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.strip()


def test_without_torch_what_is_prepared_is_served(artifact: ModelArtifact, tmp_path: Path) -> None:
    prepare(artifact, artifact.path.parent / FOLDER)
    assert load_without_torch(artifact.path.parent, Runtime.OPENVINO, tmp_path / "kept") == ""


def test_without_torch_the_runtime_torchscript_is_refused_in_words(
    artifact: ModelArtifact, tmp_path: Path
) -> None:
    prepare(artifact, artifact.path.parent / FOLDER)
    told = load_without_torch(artifact.path.parent, Runtime.TORCHSCRIPT, tmp_path / "kept")
    assert told.startswith("UnsupportedRuntimeError the runtime 'torchscript' needs torch")
    assert "'openvino'" in told
    assert "\n" not in told


@pytest.mark.parametrize("runtime", [Runtime.AUTO, Runtime.OPENVINO])
def test_without_torch_a_model_that_is_not_prepared_says_how_to_prepare_it(
    artifact: ModelArtifact, tmp_path: Path, runtime: Runtime
) -> None:
    folder = artifact.path.parent
    told = load_without_torch(folder, runtime, tmp_path / "kept")
    assert told.startswith("UnsupportedRuntimeError")
    assert told.endswith(f"{COMMAND} {folder} {folder / FOLDER}")
    assert "\n" not in told
    assert not (tmp_path / "kept").exists()


def test_without_torch_the_command_says_so_in_one_line(
    artifact: ModelArtifact, tmp_path: Path
) -> None:
    arguments = [str(artifact.path.parent), str(tmp_path / "kept")]
    run = run_without_torch(f"from app.embedding.__main__ import main; main({arguments!r})")
    assert run.returncode == 1
    assert "torch" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_what_openvino_reads_as_it_is_needs_no_preparation(tmp_path: Path) -> None:
    def as_onnx(document: dict[str, object]) -> None:
        document["format"] = "onnx"

    artifact = open_artifact(write_model(tmp_path / "model", as_onnx))
    with pytest.raises(ModelArtifactError, match="nothing to prepare"):
        prepare(artifact, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
