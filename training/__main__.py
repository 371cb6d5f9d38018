"""``python -m training``: one command for each step from pictures to a shipped embedder."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError

from app.domain.errors import FacegateError
from training.burst.command import burst
from training.calibration.command import calibrate
from training.comparison.command import compare
from training.data.command import pack
from training.demo.command import demo
from training.engine.distill_command import distill
from training.engine.interpolate_command import interpolate
from training.engine.learn_command import learn
from training.enrolment.command import enrolment, quality_limits
from training.enrolment.repeats_command import repeated_photos
from training.evaluation.command import evaluate, whole_photos
from training.evaluation.planted_audit import audit_planted
from training.export.command import card, export
from training.foundation.errors import (
    CheckpointError,
    DataError,
    ForeignNetworkError,
    TrainingDivergedError,
)
from training.imports.command import import_sface
from training.inspection.command import inspect, preview
from training.joint.command import join
from training.joint.hubness_command import hubness
from training.joint.interpolate_trial import interpolate_trial
from training.joint.join_trial_command import join_trial
from training.liveness.command import liveness
from training.networks.cost_command import cost
from training.odd_pictures.command import odd_pictures
from training.proof.command import prove
from training.recognisability.command import recognisability
from training.search.command import embed, search, verify
from training.synthesis.command import synthesize_command

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Train, judge, calibrate and export face embedders."""


app.command("distill")(distill)
app.command("interpolate")(interpolate)
app.command("pack")(pack)
app.command("whole-photos")(whole_photos)
app.command("cost")(cost)
app.command("demo")(demo)
app.command("evaluate")(evaluate)
app.command("prove")(prove)
app.command("calibrate")(calibrate)
app.command("enrolment")(enrolment)
app.command("quality-limits")(quality_limits)
app.command("repeated-photos")(repeated_photos)
app.command("audit-planted")(audit_planted)
app.command("burst")(burst)
app.command("liveness")(liveness)
app.command("odd-pictures")(odd_pictures)
app.command("export")(export)
app.command("recognisability")(recognisability)
app.command("join")(join)
app.command("hubness")(hubness)
app.command("join-trial")(join_trial)
app.command("interpolate-trial")(interpolate_trial)
app.command("card")(card)
app.command("synthesize")(synthesize_command)
app.command("import-sface")(import_sface)
app.command("learn")(learn)
app.command("compare")(compare)
app.command("inspect")(inspect)
app.command("preview")(preview)
app.command("embed")(embed)
app.command("search")(search)
app.command("verify")(verify)


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
    except expected as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    run_command()
