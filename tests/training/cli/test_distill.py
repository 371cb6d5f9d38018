from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from tests.training.made_data import write_tiny_data
from training.cli.distill import distill
from training.foundation.device import MALLOC_SETTINGS
from training.foundation.errors import CheckpointError

RECIPE = """
name = "made"
batch_size = 8
steps = 2
teachers = [{ name = "one", path = "one.pt", input_size = 64, channels = "rgb" }]
resolution = [{ until = 1.0, pixels = 80 }]

[student]
widths = [8, 8, 8, 8]
blocks = [1, 1, 1, 1]
embedding_dim = 12

[[sources]]
name = "people"
paths = ["people"]
labelled = true
share = 1.0
"""


@pytest.mark.slow
def test_the_command_trains_in_the_recipes_folder_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in MALLOC_SETTINGS.items():
        monkeypatch.setenv(key, value)  # or the command would start this very process again
    monkeypatch.chdir(tmp_path)
    write_tiny_data(tmp_path / "data")
    (tmp_path / "made.toml").write_text(RECIPE)
    app = Typer()
    app.command()(distill)
    words = ["--recipe", "made.toml", "--data", "data", "--device", "cpu"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "18 crops from people; cpu" in result.output
    assert "checkpoint: runs/made/checkpoint.pt" in result.output
    last = (tmp_path / "runs/made/log.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["progress"] == 1.0
    assert (tmp_path / "runs/cache").is_dir()
    again = CliRunner().invoke(app, [*words, "--resume", "--run", "runs/none"])
    assert isinstance(again.exception, CheckpointError)
