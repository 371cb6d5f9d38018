"""The grids that choose how networks are joined, and how far weights go back to their start."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.training.engines.test_run import distillation_of, make_run, tuned_recipe
from tests.training.evaluation.made_people import write_evaluation_data
from tests.training.made_data import (
    TinyTeacher,
    crop_set,
    tiny_recipe,
    write_folder,
    write_tiny_data,
)
from tests.training.networks.published.published_file import random_tensors, write_published
from training.data.crops import CropSet, read_crops
from training.data.populations import Pool
from training.evaluation.served import newest_model
from training.export.origin import JointOrigin
from training.export.sface_origin import sface_origin
from training.export.trained_origin import TrainedOrigin
from training.foundation.checkpoints import load_checkpoint
from training.foundation.errors import CheckpointError, DataError
from training.networks.hubness import CrowdAware, HubnessCorrection
from training.networks.joint import JointNetwork
from training.networks.served import save_module
from training.recipes.build_recipe import JoinedRecipe, joined_recipe, load_build_recipe
from training.recipes.recipe import CorrectionRecipe, HubnessRecipe
from training.studies.interpolation import try_shares
from training.studies.joining import (
    Answers,
    Heard,
    joined_rows,
    joinings,
    joint_parts,
    recipe_of,
    trial_of,
    try_joinings,
)

PEOPLE = 240
SHIPPED = joined_recipe(load_build_recipe())
SHARE, HEAD, HUBNESS = SHIPPED.join.share, SHIPPED.join.head, SHIPPED.hubness
SHORT = HEAD.model_copy(update={"steps": 10, "batch_size": 64})
RECIPE = tiny_recipe(sources=[{"name": "a", "paths": ["a"], "share": 1.0}])


def joining(
    share: float, head: CorrectionRecipe = SHORT, hubness: HubnessRecipe = HUBNESS
) -> JoinedRecipe:
    join = SHIPPED.join.model_copy(update={"share": share, "head": head})
    return JoinedRecipe(join=join, hubness=hubness)


def faces(people: torch.Tensor, dim: int, seed: int, noise: float) -> torch.Tensor:
    """Return unit rows: one direction for each person, and what is left of it in a photo."""
    generator = torch.Generator().manual_seed(seed)
    own = torch.randn(int(people.max()) + 1, dim, generator=generator)[people]
    return F.normalize(own + noise * torch.randn(len(people), dim, generator=generator), dim=1)


@pytest.fixture(scope="module")
def heard() -> tuple[Heard, CropSet, list[Pool]]:
    """The first network tells people apart, the second tells nothing."""
    pool, alone = torch.arange(PEOPLE), torch.arange(450)
    photos = torch.arange(12).repeat_interleave(5)
    said = [
        Answers(faces(rows, 20, seed, 0.3), faces(rows, 16, seed + 10, 30.0))
        for seed, rows in enumerate((pool, photos, alone))
    ]
    crops = crop_set([-1] * PEOPLE, [0] * PEOPLE, [0] * PEOPLE)
    val = crop_set(photos.tolist(), [-1] * 60, [0] * 60)
    pools = [Pool("odd", np.arange(1, 450, 2)), Pool("even", np.arange(0, 450, 2))]
    return Heard(crops, *said), val, pools


def test_one_thing_at_a_time_differs_from_what_ships() -> None:
    (name, shipped), *others = joinings(SHIPPED)
    assert (name, shipped) == ("as shipped", SHIPPED)
    for changed, way in others:
        flat, ours = (
            {
                "share": each.join.share,
                **each.join.head.model_dump(),
                **each.hubness.model_dump(),
            }
            for each in (way, shipped)
        )
        (differs,) = [key for key in flat if flat[key] != ours[key]]
        assert changed == f"{differs} {flat[differs]:g}"


@pytest.mark.slow
def test_every_way_has_a_line_and_the_share_decides_who_is_listened_to(
    heard: tuple[Heard, CropSet, list[Pool]],
) -> None:
    said, val, pools = heard
    hubs = HUBNESS.model_copy(update={"centres": 4, "nearest": 2})
    ways = [(f"share {s:g}", joining(s, hubness=hubs)) for s in (0.05, 0.95)]
    sheet = try_joinings(RECIPE, said, val, pools, ways)
    assert [row[0] for row in sheet.rows] == ["share 0.05", "share 0.95"]
    assert {len(row) for row in sheet.rows} == {len(sheet.head)}
    deaf, listening = (float(row[1]) for row in sheet.rows)
    assert deaf < 0.5
    assert listening > 0.9


def test_the_trial_joins_as_the_join_does(heard: tuple[Heard, CropSet, list[Pool]]) -> None:
    said, _, _ = heard
    val, strangers = joined_rows(RECIPE, said, joining(SHARE))
    assert val.shape == (60, HEAD.embedding_dim + 1)
    assert strangers.shape == (450, HEAD.embedding_dim + 1)
    np.testing.assert_allclose(np.linalg.norm(val, axis=1), 1, atol=1e-5)
    again, _ = joined_rows(RECIPE, said, joining(SHARE))
    np.testing.assert_array_equal(val, again)
    steeper = joining(SHARE, SHORT.model_copy(update={"learning_rate": 1e-2}))
    assert not np.allclose(joined_rows(RECIPE, said, steeper)[0], val, atol=1e-4)


def test_the_two_networks_are_read_from_a_joint_model(tmp_path: Path) -> None:
    first, second = TinyTeacher(1, 5), TinyTeacher(2, 4)
    joint = JointNetwork(first, second, SHARE, nn.Linear(9, 8, bias=False))
    correction = HubnessCorrection(torch.eye(8)[:5], 0.3, 0.3, 0.2, 2)
    save_module(CrowdAware(joint, correction), tmp_path / "joint.pt", half=False)
    crops = torch.rand(2, 3, 112, 112) * 255
    read = joint_parts(tmp_path / "joint.pt")
    for mine, theirs in zip((first, second), read, strict=True):
        torch.testing.assert_close(theirs(crops), mine(crops))
    save_module(first, tmp_path / "single.pt", half=False)
    for path in (tmp_path / "single.pt", tmp_path / "none.pt"):
        with pytest.raises(CheckpointError, match="holds no two networks"):
            joint_parts(path)


def test_the_shipped_model_tells_its_recipe_and_holds_its_networks() -> None:
    folder = newest_model()
    assert recipe_of(folder).name == "native-open"
    first, second = joint_parts(folder / "embedder.pt")
    crop = torch.full((1, 3, 112, 112), 90.0)
    with torch.inference_mode():
        assert first(crop).shape == (1, 256)
        assert second(crop).shape == (1, 128)


@pytest.mark.slow
def test_every_share_of_a_run_has_a_line_and_the_whole_way_is_the_run(tmp_path: Path) -> None:
    data = write_tiny_data(tmp_path / "data")
    write_published(data / "published.pt", random_tensors(pool=8))
    recipe = tuned_recipe(batch_size=4, resolution=[{"until": 1.0, "pixels": 64}])
    run = make_run(recipe, data, tmp_path / "run")
    run.step()
    run.save()
    val = read_crops("val", [write_folder(tmp_path / "val", 3, 5)], labelled=True)
    step = distillation_of(run)
    strangers = step.crops.of(torch.arange(18, 30))
    pools = [Pool("even", np.arange(0, 12, 2)), Pool("odd", np.arange(1, 12, 2))]
    state = load_checkpoint(run.folder.checkpoint, torch.device("cpu"))
    sheet = try_shares(state, step.targets, step.crops, val, strangers, pools, (0.5, 1.0))
    assert [row[0] for row in sheet.rows] == ["0.5", "1"]
    assert {len(row) for row in sheet.rows} == {len(sheet.head)}
    with pytest.raises(DataError, match="no group of strangers"):
        try_shares(state, step.targets, step.crops, val, strangers, [], (1.0,))


@pytest.mark.slow
def test_a_model_folder_is_tried_on_a_part_of_its_training_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_evaluation_data(write_tiny_data(tmp_path / "data", pool=200))
    folder, recipe = tmp_path / "model", tiny_recipe()
    folder.mkdir()
    joint = JointNetwork(TinyTeacher(1, 12), TinyTeacher(2, 9), SHARE, nn.Linear(21, 8, bias=False))
    correction = HubnessCorrection(torch.eye(8)[:5], 0.3, 0.3, 0.2, 2)
    save_module(CrowdAware(joint, correction), folder / "embedder.pt", half=False)
    origin = JointOrigin(
        trained=TrainedOrigin(recipe=recipe, steps=6, hours=0.1),
        imported=sface_origin(tmp_path),
        share=SHARE,
        head=HEAD,
    )
    manifest = {"origin": origin.model_dump(mode="json")}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.chdir(tmp_path)  # where answers are kept
    ways = [("as shipped", joining(SHARE))]
    device = torch.device("cpu")
    whole, again, half = (trial_of(folder, data, every, ways, device) for every in (1, 1, 2))
    assert "(218 training pictures)" in whole.title
    assert "(109 training pictures)" in half.title
    assert whole.rows == again.rows
    kept = list((tmp_path / "runs" / "cache").iterdir())  # of either network, three sets and a half
    assert len(kept) == 2 * 4
    manifest["origin"] = origin.trained.model_dump(mode="json")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match="not of two networks"):
        trial_of(folder, data, 1, ways, device)
