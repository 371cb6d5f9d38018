"""The head over two networks, and the command that ships both as one model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from tests.training.made_data import crop_set, tiny_recipe, write_teacher, write_tiny_data
from training.data.sources import read_sources
from training.engines.hubness import MIN_PEOPLE
from training.engines.join import (
    SFACE,
    fit_head,
    join_networks,
    published_sface,
    trained_sface,
)
from training.evaluation.embedders import ExportedFile, centre_faces
from training.export.origin import ORIGIN, JointOrigin
from training.export.package import write_module
from training.export.parity import made_patterns
from training.export.sface_origin import sface_origin
from training.export.trained_origin import TrainedOrigin
from training.foundation.errors import CheckpointError
from training.losses.identity import group_repulsion
from training.networks.published.sface import EMBEDDING_DIM
from training.networks.students import make_student
from training.recipes.build_recipe import JoinedRecipe, joined_recipe, load_build_recipe
from training.recipes.recipe import SFaceRecipe, load_recipe

PEOPLE = 64
SHIPPED = joined_recipe(load_build_recipe())
SHARE, HEAD, HUBNESS = SHIPPED.join.share, SHIPPED.join.head, SHIPPED.hubness
SHORT_HEAD = HEAD.model_copy(update={"steps": 60, "batch_size": 64, "learning_rate": 3e-4})
SHORT = JoinedRecipe(join=SHIPPED.join.model_copy(update={"head": SHORT_HEAD}), hubness=HUBNESS)


def close_strangers(seed: int, dim: int) -> torch.Tensor:
    """Return unit rows ``(PEOPLE, dim)``: all different people whom a network takes for alike."""
    generator = torch.Generator().manual_seed(seed)
    common = F.normalize(torch.randn(1, dim, generator=generator), dim=1)
    own = F.normalize(torch.randn(PEOPLE, dim, generator=generator), dim=1)
    return F.normalize(common + 0.8 * own, dim=1)


def test_the_head_pushes_apart_people_who_are_certainly_different() -> None:
    crops = crop_set([-1] * PEOPLE, [0] * PEOPLE, [0] * PEOPLE)
    recipe = tiny_recipe(sources=[{"name": "a", "paths": ["a"], "share": 1.0}])
    first, second = close_strangers(1, 40), close_strangers(2, 30)
    head = fit_head(recipe, crops, first, second, SHORT.join)
    joined = torch.cat([first * SHARE**0.5, second * (1 - SHARE) ** 0.5], dim=1)
    margin = HEAD.repulsion_margin
    before = group_repulsion(joined, crops.groups, margin)
    after = group_repulsion(head(joined), crops.groups, margin)
    assert float(after) < 0.9 * float(before)


def test_without_sface_among_the_teachers_there_is_nothing_to_join(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    crops = read_sources(recipe, write_tiny_data(tmp_path))
    with pytest.raises(CheckpointError, match="no teacher sface"):
        published_sface(recipe, crops, tmp_path, tmp_path / "cache")


@pytest.mark.slow
def test_student_and_sface_become_one_file_that_answers_alike(tmp_path: Path) -> None:
    write_tiny_data(tmp_path, pool=2 * MIN_PEOPLE)
    write_teacher(tmp_path / "two.pt", 2, EMBEDDING_DIM)  # what SFace is called by as a teacher
    teacher = {"name": SFACE, "path": "two.pt", "input_size": 112, "channels": "rgb"}
    recipe = tiny_recipe(teachers=[teacher])
    crops = read_sources(recipe, tmp_path)
    torch.manual_seed(0)
    student = make_student(recipe.student).eval()
    second = published_sface(recipe, crops, tmp_path, tmp_path / "cache")
    network = join_networks(student, second, recipe, crops, SHORT)
    path = tmp_path / "embedder.pt"
    parity = write_module(network, path, made_patterns()[:4])
    assert parity.holds
    rows = ExportedFile(path, "joint", torch.device("cpu")).embed_faces(centre_faces(crops)[:3])
    assert rows.shape == (3, HEAD.embedding_dim + 1)


@pytest.mark.slow
def test_sface_trained_on_takes_the_published_ones_place(tmp_path: Path) -> None:
    write_tiny_data(tmp_path, pool=2 * MIN_PEOPLE)
    recipe = tiny_recipe()
    crops = read_sources(recipe, tmp_path)
    torch.manual_seed(0)
    student = make_student(recipe.student).eval()
    trained = make_student(SFaceRecipe(kind="sface", embedding_dim=24)).eval()
    with torch.no_grad():
        trained.get_parameter("trunk.85.weight").mul_(torch.linspace(0.5, 1.5, 128)[:, None])
        before = trained(torch.full((1, 3, 112, 112), 90.0))
    second = trained_sface(trained, crops, tmp_path / "checkpoint.pt")
    with torch.no_grad():
        after = second.network(torch.full((1, 3, 112, 112), 90.0))
    assert float(F.cosine_similarity(before, after)) > 0.999  # stored in bytes, the same answers
    path = tmp_path / "embedder.pt"
    assert write_module(
        join_networks(student, second, recipe, crops, SHORT), path, made_patterns()[:4]
    ).holds
    with pytest.raises(CheckpointError, match=r"other\.pt holds no SFace"):
        trained_sface(student, crops, tmp_path / "other.pt")


def test_the_origin_tells_of_a_second_network_that_was_trained_on(tmp_path: Path) -> None:
    first = TrainedOrigin(recipe=load_recipe("native-open"), steps=6, hours=0.1, trained_share=0.5)
    second = TrainedOrigin(recipe=load_recipe("sface-open"), steps=7, hours=0.2, trained_share=0.5)
    imported = sface_origin(tmp_path)
    origin = JointOrigin(
        trained=first, imported=imported, share=SHARE, head=HEAD, hubness=HUBNESS, second=second
    )
    story = origin.story()
    assert "imported and trained on" in story
    assert imported.sha256 in story
    assert "recipe `sface-open` for 7 steps" in story
    assert "as published,\n" not in story
    commands = origin.commands("models/embedder/3.0.0", "3.0.0")
    assert "--run runs/second/mean" in commands
    assert (
        "join --checkpoint runs/mean/checkpoint.pt --second runs/second/mean/checkpoint.pt"
        in commands
    )
    assert ORIGIN.validate_python(origin.model_dump(mode="json")) == origin


def test_the_origin_tells_of_both_networks_and_reads_back(tmp_path: Path) -> None:
    trained = TrainedOrigin(recipe=tiny_recipe(), steps=6, hours=0.1)
    imported = sface_origin(tmp_path)
    origin = JointOrigin(
        trained=trained, imported=imported, share=SHARE, head=HEAD, hubness=HUBNESS
    )
    story = origin.story()
    assert imported.sha256 in story
    assert f"{HUBNESS.centres} crowds" in story
    assert "research use only" in story
    assert "recipe `tiny` for 6 steps" in story
    assert "training join --checkpoint runs/1/checkpoint.pt --version 2.0.0" in origin.commands(
        "models/embedder/2.0.0", "2.0.0"
    )
    assert ORIGIN.validate_python(origin.model_dump(mode="json")) == origin
    before = origin.model_copy(update={"hubness": None})  # as models up to 2.1.0 were made
    assert "crowds" not in before.story()
    assert "hubs" not in before.network


@pytest.mark.parametrize(
    ("recipe", "told", "not_told"),
    [
        ("native-open", "its own 128 px picture", "7 x 7"),
        ("tuned-open", "7 x 7 positions", "128 px picture"),
    ],
)
def test_a_start_tells_which_picture_the_network_reads(
    recipe: str, told: str, not_told: str
) -> None:
    story = TrainedOrigin(recipe=load_recipe(recipe), steps=6, hours=0.1).story()
    assert "**Start.** Not random weights but those of face-reid-0095" in story
    assert told in story
    assert not_told not in story
