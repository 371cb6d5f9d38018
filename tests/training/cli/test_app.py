"""The command line: every command is there, and an expected failure is one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from training.cli.app import app
from training.cli.studies import app as studies

ROOT = Path(__file__).parents[3]
COMMANDS = {
    *("distill", "pack", "cost", "demo", "evaluate", "calibrate", "export", "card", "study"),
    *("synthesize", "import-onnx", "import-sface", "own-network", "learn", "inspect", "preview"),
    *("recognisability", "plainness", "embed", "search", "verify", "join", "interpolate", "build"),
    "recipe",
}
STUDIES = {
    *("proof", "enrollment", "quality-limits", "repeated-photos", "burst", "planted-audit"),
    *("odd-pictures", "liveness", "whole-photos", "near-faces", "rebuilt"),
    *("hubness", "joining", "interpolation", "losses"),
}


@pytest.mark.parametrize(("group", "names"), [(app, COMMANDS), (studies, STUDIES)])
def test_the_commands_are_these(group: typer.Typer, names: set[str]) -> None:
    assert set(getattr(get_command(group), "commands", {})) == names


@pytest.mark.parametrize(
    "words",
    [*([name] for name in sorted(COMMANDS)), *(["study", name] for name in sorted(STUDIES))],
    ids=" ".join,
)
def test_every_command_says_what_it_does(words: list[str]) -> None:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    told = [line for line in result.output.splitlines() if line.strip()]
    assert "Usage" in told[0]
    assert words[-1] in told[0]
    assert len(told[1].strip()) > 20


def test_what_a_command_is_not_told_is_its_own_error() -> None:
    result = CliRunner().invoke(app, ["study", "burst", "--strangers", "few"])
    assert result.exit_code == 2
    assert "study burst" in result.output
    assert "--strangers" in result.output


def test_the_list_of_commands_waits_for_no_torch() -> None:
    script = (
        "import sys, training.cli.app as cli, contextlib\n"
        "with contextlib.suppress(SystemExit): cli.app(['--help'])\n"
        "sys.exit(len({'torch', 'cv2', 'scipy', 'matplotlib'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Train a student towards several teachers" in done.stdout


@pytest.mark.slow
def test_an_expected_failure_is_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "training", "pack", "--recipe", "nothing", "--out"]
    done = subprocess.run(
        [*words, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: no recipe 'nothing'; known: ")
    assert len(done.stderr.splitlines()) == 1
