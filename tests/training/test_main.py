"""The command line: every command is there, and an expected failure is one line."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import training.__main__
from training.__main__ import app

ROOT = Path(__file__).parents[2]
COMMANDS = {
    *("distill", "pack", "whole-photos", "cost", "demo", "evaluate", "calibrate", "export", "card"),
    *("synthesize", "import-sface", "learn", "compare", "inspect", "preview"),
    *("embed", "search", "verify", "prove", "enrolment", "quality-limits"),
    *("recognisability", "join-trial", "interpolate-trial", "repeated-photos"),
    *("burst", "liveness", "audit-planted", "join", "interpolate", "hubness", "odd-pictures"),
}


def test_the_commands_are_these() -> None:
    assert set(getattr(get_command(app), "commands", {})) == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_says_what_it_does(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    told = [line for line in result.output.splitlines() if line.strip()]
    assert "Usage" in told[0]
    assert len(told[1].strip()) > 20


def test_the_module_holds_no_command_of_its_own() -> None:
    assert training.__main__.__file__ is not None
    tree = ast.parse(Path(training.__main__.__file__).read_text())
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert defined == {"main", "run_command"}


@pytest.mark.slow
def test_an_expected_failure_is_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "training", "pack", "--recipe", "nothing", "--out"]
    done = subprocess.run(
        [*words, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: no recipe 'nothing'; known: ")
    assert len(done.stderr.splitlines()) == 1
