"""Every key is listed and explained, and the reference in the docs is that of the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from training.cli.recipe import recipe
from training.foundation.errors import DataError
from training.recipes.metric_recipe import METRIC_RECIPES, MetricRecipe, load_metric_recipe
from training.recipes.reference import explain, listed, sections, written_reference

DOCUMENT = Path(__file__).parents[3] / "docs" / "training.md"


def ask(*words: str) -> Result:
    app = typer.Typer()
    app.command()(recipe)
    return CliRunner().invoke(app, [*words])


def test_the_reference_in_the_docs_is_that_of_the_code() -> None:
    """``make reference`` writes it anew."""
    document = DOCUMENT.read_text(encoding="utf-8")
    assert written_reference(document) == document
    with pytest.raises(DataError, match="has no <!--"):
        written_reference("nothing")


def test_every_key_of_every_shipped_recipe_is_in_the_reference_and_can_be_set() -> None:
    keys = {key.name for section in sections(MetricRecipe) for key in section.keys}
    for file in METRIC_RECIPES.glob("*.toml"):
        whole = json.loads(load_metric_recipe(file.stem).model_dump_json())
        assert set(places(whole)) <= keys | {"teacher"}


def places(value: object, place: str = "") -> list[str]:
    """Return the dotted keys of a document's values; every item of a list is item 0."""
    if isinstance(value, dict) and value:
        return [p for k, v in value.items() for p in places(v, f"{place}.{k}" if place else k)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [found for item in value for found in places(item, f"{place}.0")]
    return [place]


def test_a_key_is_explained_in_every_recipe_and_choice_that_has_it() -> None:
    said = explain("loss.margin")
    assert 'learn: loss, name = "contrastive"' in said
    assert "loss.margin: number, >= -1, < 1; default: 0.3" in said
    assert "distill: student" in explain("blocks")
    assert "build: hubness" in explain("hubness.strength")
    assert 'divide: "images" or "identities" or "split"; default: "identities"' in explain("data")
    assert explain("widths").count("backbone.widths") == 1
    with pytest.raises(DataError, match="no recipe has a key 'flavour'"):
        explain("flavour")


def test_the_command_lists_recipes_and_prints_one_whole_with_what_was_set() -> None:
    names = {name for _, name, _ in listed()}
    assert {"digits", "mnist", "omniglot", "celeba", "folders", "faces", "facegate"} <= names
    assert {name for name in names if name.startswith("stem-pairs-")}
    assert all(about for _, _, about in listed())
    assert "omniglot" in ask("--list").output
    assert "loss.margin" in ask("--explain", "margin").output
    assert "optimiser.clip_norm" in ask("--keys").output
    whole = ask("digits", "--set", "loss.margin=0.3")
    assert json.loads(whole.output) == json.loads(
        load_metric_recipe("digits", ["loss.margin=0.3"]).model_dump_json()
    )
    assert json.loads(ask("facegate", "--kind", "build").output)["name"] == "facegate"
    assert isinstance(ask().exception, DataError)
