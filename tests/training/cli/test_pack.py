from __future__ import annotations

from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from tests.training.made_data import write_tiny_data
from training.cli.pack import pack
from training.data.sources import read_sources
from training.recipes.recipe import load_recipe

RECIPE = """
name = "made"
teachers = [{ name = "one", path = "one.pt", input_size = 64, channels = "rgb" }]

[[sources]]
name = "pool"
paths = ["pool.tar"]
attributes = "pool.csv"
share = 1.0
"""


def test_the_command_packs_what_a_recipe_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    data, recipe, out = tmp_path / "data", tmp_path / "made.toml", tmp_path / "out"
    write_tiny_data(data)
    recipe.write_text(RECIPE)
    app = Typer()
    app.command()(pack)
    words = ["--recipe", str(recipe), "--data", str(data), "--out", str(out), "--size", "64"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines() if "pool." in line]
    assert any("12" in row for row in rows)
    assert len(read_sources(load_recipe(str(recipe)), out)) == 12
