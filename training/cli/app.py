"""The command line: one command for each step from pictures to a shipped embedder."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

import typer
from pydantic import ValidationError

from app.domain.errors import FacegateError
from training.cli.lazy import add_lazily
from training.foundation.errors import (
    CheckpointError,
    DataError,
    ForeignNetworkError,
    RunInterruptedError,
    TrainingDivergedError,
)

#: In the order in which ``--help`` lists them: where each command is.
COMMANDS = {
    "pack": "training.cli.pack:pack",
    "inspect": "training.cli.inspect:inspect",
    "preview": "training.cli.inspect:preview",
    "recipe": "training.cli.recipe:recipe",
    "build": "training.cli.build:build",
    "distill": "training.cli.distill:distill",
    "learn": "training.cli.learn:learn",
    "interpolate": "training.cli.interpolate:interpolate",
    "join": "training.cli.join:join",
    "import-onnx": "training.cli.import_onnx:import_onnx",
    "import-sface": "training.cli.import_onnx:import_sface",
    "export": "training.cli.export:export",
    "calibrate": "training.cli.calibrate:calibrate",
    "recognisability": "training.cli.recognisability:recognisability",
    "plainness": "training.cli.plainness:plainness",
    "evaluate": "training.cli.evaluate:evaluate",
    "card": "training.cli.export:card",
    "study": "training.cli.studies:app",
    "cost": "training.cli.cost:cost",
    "embed": "training.cli.search:embed",
    "search": "training.cli.search:search",
    "verify": "training.cli.search:verify",
    "synthesize": "training.cli.synthesize:synthesize_command",
    "demo": "training.cli.demo:demo",
    "own-network": "training.cli.demo:own_network",
}

#: What a shell returns for a program that Ctrl-C ended: 128 + SIGINT.
INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Train, evaluate, calibrate and export face embedders."""


for _name, _place in COMMANDS.items():
    add_lazily(app, _name, _place)


def command_to_resume(words: Sequence[str]) -> str:
    """Return the command line that goes on with what the command line ``words`` began.

    Commands other than ``learn`` and ``distill`` go on by themselves.
    """
    again = [word for word in words if word != "--force"]
    if words and words[0] in {"learn", "distill"} and "--resume" not in again:
        again.append("--resume")
    return f"python -m training {shlex.join(again)}"


def run_command() -> None:
    """Run the command line; expected failures are one line, not a traceback."""
    expected = (
        DataError,
        CheckpointError,
        ForeignNetworkError,
        FacegateError,
        TrainingDivergedError,
        ValidationError,
        OSError,
    )
    try:
        app()
    except RunInterruptedError as error:
        typer.echo(f"{error}; go on with:\n  {command_to_resume(sys.argv[1:])}", err=True)
        sys.exit(INTERRUPTED)
    except expected as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
