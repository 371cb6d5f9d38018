from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from training.cli.cost import cost
from training.networks.students import make_student
from training.recipes.recipe import load_recipe

RECIPE = """
extends = "width-24"
name = "made"

[student]
widths = [8, 8, 8, 8]
blocks = [1, 1, 1, 1]
embedding_dim = 12
"""


@pytest.mark.slow
def test_the_command_compares_students_with_known_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    recipe = tmp_path / "made.toml"
    recipe.write_text(RECIPE)
    threads = torch.get_num_threads()
    app = Typer()
    app.command()(cost)
    result = CliRunner().invoke(app, [str(recipe)])
    assert result.exit_code == 0, result.output
    assert torch.get_num_threads() == threads
    rows = {
        cells[0].strip(): [cell.strip() for cell in cells[1:]]
        for line in result.output.splitlines()
        if len(cells := line.replace("│", "┃").strip(" ┃").split("┃")) > 5  # bf16 may be empty
    }
    student = make_student(load_recipe(str(recipe)).student)
    millions = sum(weight.numel() for weight in student.parameters()) / 1e6
    assert rows[str(recipe)][0] == f"{millions:.2f} M"
    assert rows[str(recipe)][3] == "1.00"
    first = float(rows[str(recipe)][2])
    del rows["network"]  # the head
    for name, row in rows.items():  # the ratio is of the very times beside it, all rounded
        milliseconds, ratio = float(row[2]), float(row[3])
        rounded = 0.006 * (1 + first + ratio)
        assert ratio * first == pytest.approx(milliseconds, abs=rounded), name
    assert {"torchvision resnet18", "torchvision mobilenet_v3_small"} < set(rows)
