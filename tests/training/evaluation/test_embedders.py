from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from app.domain.runtime import Runtime
from tests.embedding.made_models import write_model
from tests.training.evaluation.made_people import write_teacher
from tests.training.made_data import tiny_recipe, write_folder
from training.data.crops import CROP_MARGIN, CropSet, read_crops
from training.evaluation.embedders import (
    CheckpointEmbedder,
    ExportedFile,
    RuntimeEmbedder,
    TeachersEmbedder,
    centre_faces,
    open_embedder,
)
from training.foundation.checkpoints import save_checkpoint
from training.foundation.errors import CheckpointError
from training.networks.served import save_module
from training.networks.students import make_student

CPU = torch.device("cpu")


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    return read_crops("people", [write_folder(tmp_path / "people", 2, 2)], labelled=True)


def test_the_centre_face_is_the_stored_crop_without_its_margin(crops: CropSet) -> None:
    inner = slice(CROP_MARGIN, -CROP_MARGIN)
    np.testing.assert_array_equal(centre_faces(crops), crops.images[:, :, inner, inner].numpy())


def test_a_checkpoint_and_its_export_say_the_same(tmp_path: Path, crops: CropSet) -> None:
    recipe = tiny_recipe()
    student = make_student(recipe.student)
    state = {"recipe": recipe.model_dump(mode="json"), "student": student.state_dict()}
    save_checkpoint(tmp_path / "checkpoint.pt", state)
    save_module(student, tmp_path / "embedder.pt", half=False)
    trained = CheckpointEmbedder(tmp_path / "checkpoint.pt", CPU).embed(crops)
    exported = ExportedFile(tmp_path / "embedder.pt", "tiny", CPU).embed(crops)
    np.testing.assert_allclose(trained, exported, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(exported, axis=1), 1, atol=1e-5)


def test_the_teachers_together_give_the_mean_of_their_cosines(
    tmp_path: Path, crops: CropSet
) -> None:
    recipe = tiny_recipe()
    write_teacher(tmp_path / "one.pt", 1, 10)
    write_teacher(tmp_path / "two.pt", 2, 7)
    both = TeachersEmbedder(recipe, tmp_path, tmp_path / "cache", CPU).embed(crops)
    apart = [
        TeachersEmbedder(
            recipe.model_copy(update={"teachers": (teacher,)}), tmp_path, tmp_path / "cache", CPU
        ).embed(crops)
        for teacher in recipe.teachers
    ]
    mean = (apart[0] @ apart[0].T + apart[1] @ apart[1].T) / 2
    np.testing.assert_allclose(both @ both.T, mean, atol=1e-5)
    kept = TeachersEmbedder(recipe, tmp_path, tmp_path / "cache", CPU).embed(crops)
    np.testing.assert_array_equal(kept, both)


def test_a_folder_without_a_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"manifest\.json"):
        open_embedder(str(tmp_path), tmp_path, "all", tmp_path, CPU)


def test_a_damaged_export_is_named(tmp_path: Path) -> None:
    (tmp_path / "embedder.pt").write_bytes(b"half a file")
    (tmp_path / "manifest.json").write_text('{"name": "a", "version": "1", "file": "embedder.pt"}')
    with pytest.raises(CheckpointError, match=r"embedder\.pt is no TorchScript module"):
        open_embedder(str(tmp_path), tmp_path, "all", tmp_path, CPU)


def test_a_folder_is_judged_as_the_service_runs_it(tmp_path: Path, crops: CropSet) -> None:
    folder = write_model(tmp_path / "m")
    cache = tmp_path / "cache"
    embedder = RuntimeEmbedder(folder, Runtime.OPENVINO, cache)
    given = embedder.embed(crops)
    exported = ExportedFile(folder / "embedder.pt", "m", CPU, cache).embed(crops)
    np.testing.assert_allclose(given, exported, atol=1e-5)
    assert embedder.name.endswith(" by openvino")
    assert embedder.sha256 == ExportedFile(folder / "embedder.pt", "m", CPU).sha256
    RuntimeEmbedder(folder, Runtime.TORCHSCRIPT, cache).embed(crops)
    assert len([*cache.iterdir()]) == 3  # what one runtime said is no answer of another
    np.testing.assert_array_equal(embedder.embed(crops), given)
