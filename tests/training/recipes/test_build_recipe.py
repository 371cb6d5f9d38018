"""The recipe of a whole build: strict, whole in its file, and the only home of its numbers."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from training.evaluation.embedders import read_manifest
from training.evaluation.served import newest_model
from training.export.origin import ORIGIN, JointOrigin
from training.foundation.errors import DataError
from training.recipes.build_recipe import (
    BUILDS,
    SHIPPED,
    interpolate_recipe,
    joined_recipe,
    load_build_recipe,
)

FILE = BUILDS / f"{SHIPPED}.toml"


def test_what_ships_states_every_number_in_its_file() -> None:
    stated = tomllib.loads(FILE.read_text(encoding="utf-8"))
    read = load_build_recipe().model_dump(mode="json")
    del read["join"]["head"]["loss_weight"], read["join"]["head"]["similarity_weight"]  # of targets
    assert read == stated


def test_the_shipped_model_is_of_this_recipe() -> None:
    origin = ORIGIN.validate_python(read_manifest(newest_model())["origin"])
    assert isinstance(origin, JointOrigin)
    recipe = load_build_recipe()
    joined = joined_recipe(recipe)
    assert (origin.share, origin.head) == (joined.join.share, joined.join.head)
    assert origin.hubness == joined.hubness
    assert origin.trained.trained_share == interpolate_recipe(recipe).share
    assert origin.trained.steps == recipe.distill.steps
    assert origin.trained.recipe.name == recipe.distillation().name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("[interpolate]\nshares = 0.5\n", "interpolate.shares"),
        ("[join.head]\nrepel = 1.0\n", "join.head.repel"),
        ("[polish]\nsteps = 1\n", "polish"),
        ("[interpolate]\nshare = 1.0\n", "interpolate.share"),
        ("[calibrate]\nburst_frames = [1]\n", "calibrate.burst_frames.0"),
        ("[distill]\nsteps = 0\n", "distill.steps"),
        ('name = "../elsewhere"\n', "name"),
    ],
)
def test_unknown_keys_and_impossible_numbers_are_refused(
    tmp_path: Path, change: str, named: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'extends = "{SHIPPED}"\n{change}')
    if change.startswith("name"):
        path.write_text(f'{change}extends = "{SHIPPED}"\n')
    with pytest.raises(DataError, match=rf"mine\.toml: {named}: "):
        load_build_recipe(str(path))


def test_a_missing_number_is_refused_for_there_is_no_other_home(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8").replace("offset = 0.2\n", "")
    (tmp_path / "short.toml").write_text(text)
    with pytest.raises(DataError, match=r"short\.toml: hubness\.offset: Field required"):
        load_build_recipe(str(tmp_path / "short.toml"))


def test_a_recipe_changes_one_number_of_another(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'extends = "{SHIPPED}"\nname = "mine"\n[hubness]\nstrength = 0.4\n')
    mine, ours = load_build_recipe(str(path)), load_build_recipe()
    assert mine.hubness == joined_recipe(ours).hubness.model_copy(update={"strength": 0.4})
    assert mine.join == ours.join


def test_a_join_without_crowds_and_steps_that_are_not_there_are_said(tmp_path: Path) -> None:
    document = FILE.read_text(encoding="utf-8")
    half = document[: document.index("# Away")] + document[document.index("# Default") :]
    (tmp_path / "half.toml").write_text(half)
    with pytest.raises(DataError, match=r"half\.toml: .*both or neither"):
        load_build_recipe(str(tmp_path / "half.toml"))
    alone = load_build_recipe().model_copy(
        update={"join": None, "hubness": None, "interpolate": None}
    )
    for read in (joined_recipe, interpolate_recipe):
        with pytest.raises(DataError, match=r"facegate.*no \["):
            read(alone)
    with pytest.raises(FileNotFoundError, match="no recipe 'nothing'; known: facegate"):
        load_build_recipe("nothing")
