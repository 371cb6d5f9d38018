"""``python -m training``: one command for each step from pictures to a shipped embedder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.domain.errors import FacegateError
from training.burst.command import burst
from training.calibration.command import calibrate
from training.comparison.command import compare
from training.data.crops import DataError
from training.data.packing import pack_data
from training.data.sources import read_sources
from training.demo.run import run_demo
from training.engine.checkpoint import CheckpointError
from training.engine.distillation import (
    DistillationRun,
    RunOptions,
    TrainingDivergedError,
    train,
)
from training.engine.learn_command import learn
from training.engine.targets import TargetSource
from training.evaluation.command import evaluate
from training.evaluation.embedders import ExportedEmbedder
from training.evaluation.whole_photos import judge_whole_photos
from training.export.command import card, export
from training.imports.command import import_sface
from training.imports.onnx_chain import ForeignNetworkError
from training.inspection.command import inspect, preview
from training.liveness.command import liveness
from training.networks.cost import make_students, measure_costs
from training.networks.reference import reference_networks
from training.recipe import load_recipe
from training.search.command import embed, search, verify
from training.synthesis.command import synthesize_command
from training.torch_setup import choose_device, keep_large_blocks

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

DataOption = Annotated[
    Path, typer.Option("--data", envvar="FACEGATE_TRAINING_DATA", help="Folder with the data.")
]
DEFAULT_DATA = Path("../shared/data")
TRIAL_RECIPES = ["width-24", "width-32-shallow", "width-32", "width-48"]


@app.callback()
def main() -> None:
    """Train, judge, calibrate and export face embedders."""


@app.command()
def distill(
    recipe: Annotated[str, typer.Option(help="A recipe's name, or the path of a TOML file.")],
    data: DataOption = DEFAULT_DATA,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/<recipe>.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="End by the clock instead of by the recipe's steps.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the run's checkpoint.")] = False,
    init_from: Annotated[
        Path | None, typer.Option(help="Start from a checkpoint.pt or an exported embedder.pt.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
) -> None:
    """Train a student towards several teachers at once."""
    keep_large_blocks()
    loaded = load_recipe(recipe)
    folder = run or Path("runs") / loaded.name
    chosen = choose_device(device)
    crops = read_sources(loaded, data)
    typer.echo(f"{len(crops)} crops from {', '.join(crops.source_names)}; {chosen}")
    targets = TargetSource(loaded, crops, data, Path("runs/cache"), chosen)
    options = RunOptions(folder, chosen, minutes, resume, init_from)
    train(DistillationRun(loaded, crops, targets, options))
    typer.echo(f"checkpoint: {folder / 'checkpoint.pt'}")


@app.command()
def pack(
    recipe: Annotated[str, typer.Option(help="Whose data to pack.")],
    out: Annotated[Path, typer.Option(help="Folder to write the pack in.")] = Path("runs/pack"),
    data: DataOption = DEFAULT_DATA,
    size: Annotated[int, typer.Option(help="Side of the crops in pixels.")] = 112,
    quality: Annotated[int, typer.Option(help="WebP quality, 1 to 100.")] = 70,
) -> None:
    """Pack a recipe's data small enough to travel to a GPU; train there with --data <out>."""
    table = Table("file", "MiB", "pictures", "KiB a picture")
    for file in pack_data(load_recipe(recipe), data, out, size=size, quality=quality):
        each = f"{file.size_bytes / 1024 / file.pictures:.2f}" if file.pictures else ""
        name = file.path.relative_to(out).as_posix()
        table.add_row(name, f"{file.size_bytes / 2**20:.1f}", str(file.pictures), each)
    Console().print(table)


@app.command()
def whole_photos(
    model: Annotated[Path, typer.Option(help="An exported model's folder.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Run LFW photos through the service's own vision code and compare with ready crops."""
    result = judge_whole_photos(ExportedEmbedder(model, choose_device("cpu")), data)
    table = Table(
        "photos",
        "misses",
        "several faces",
        "passer-by larger",
        "pairs",
        "crops %",
        "photos, middle face %",
        "photos, largest face %",
        "agreement",
    )
    table.add_row(
        str(result.photos),
        str(len(result.misses)),
        str(result.several_faces),
        str(len(result.larger_passer_by)),
        str(result.pairs),
        f"{100 * result.crop_accuracy:.2f}",
        f"{100 * result.photo_accuracy:.2f}",
        f"{100 * result.largest_accuracy:.2f}",
        f"{result.agreement:.4f}",
    )
    Console().print(table)
    if result.misses:
        Console().print("no face found in: " + ", ".join(result.misses))


@app.command()
def cost(
    recipes: Annotated[
        list[str], typer.Argument(help="Recipes whose students to measure.")
    ] = TRIAL_RECIPES,
) -> None:
    """Compare students by parameters, multiplications and milliseconds on one core."""
    students = make_students({name: load_recipe(name).student for name in recipes})
    costs = measure_costs(students | reference_networks())
    first = costs[recipes[0]].milliseconds
    table = Table("network", "parameters", "GMAC", "ms", f"times {recipes[0]}")
    for name, measured in costs.items():
        table.add_row(
            name,
            f"{measured.parameters / 1e6:.2f} M",
            f"{measured.multiplications / 1e9:.3f}",
            f"{measured.milliseconds:.2f}",
            f"{measured.milliseconds / first:.2f}",
        )
    Console().print(table)


@app.command()
def demo(
    picture: Annotated[Path, typer.Option(help="Where to save the faces with their verdicts.")] = (
        Path("runs/demo/demo.png")
    ),
) -> None:
    """Enrol invented people in a temporary service, show it their other photos and strangers."""
    if not run_demo(picture, Console()):
        raise typer.Exit(1)


app.command("evaluate")(evaluate)
app.command("calibrate")(calibrate)
app.command("burst")(burst)
app.command("liveness")(liveness)
app.command("export")(export)
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
