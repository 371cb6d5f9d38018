"""``training evaluate``: what is asked for wrongly is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from tests.embedding.made_models import write_model
from training.cli.evaluate import evaluate
from training.foundation.errors import DataError


def evaluating(*options: str) -> BaseException | None:
    command = Typer()
    command.command()(evaluate)
    return CliRunner().invoke(command, [*options]).exception


@pytest.mark.parametrize("model", ["teachers", "checkpoint.pt"])
def test_only_a_folder_runs_as_the_service_runs_it(model: str) -> None:
    error = evaluating("--model", model, "--runtime", "openvino")
    assert isinstance(error, DataError)
    assert f"a model's folder as the service does; {model} is none" in str(error)


def test_what_a_card_tells_is_not_overwritten_with_a_runtimes_figures(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    out = folder / "evaluation.json"
    error = evaluating("--model", str(folder), "--runtime", "openvino", "--out", str(out))
    assert isinstance(error, DataError)
    assert "name another --out" in str(error)
    assert not out.exists()


def test_blurring_is_for_a_report() -> None:
    error = evaluating("--model", "teachers", "--blur-faces")
    assert isinstance(error, DataError)
    assert "name its folder: --report" in str(error)
