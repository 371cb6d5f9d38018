"""``python -m training learn``: similarity learned from any images, judged on held-out ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.options import DEFAULT_DATA, DataOption, ForceOption, ResumeOption, SetOption
from training.cli.resuming import require_room
from training.data.blurring import watchful_detector
from training.data.learning_parts import LearningParts, load_parts
from training.engines.learned import learn_recipe
from training.foundation.device import choose_device
from training.foundation.errors import DataError
from training.metrics.separation import collapse_warning
from training.metrics.similarity import measure_similarity, spread_of
from training.recipes.metric_recipe import load_metric_recipe
from training.report.run import report_run


def learn(
    recipe: Annotated[
        str, typer.Argument(help="A recipe of training/recipes/metric, or a TOML file's path.")
    ] = "digits",
    data: DataOption = DEFAULT_DATA,
    run: Annotated[Path | None, typer.Option(help="Folder of the run; runs/<recipe>.")] = None,
    resume: ResumeOption = False,
    force: ForceOption = False,
    settings: SetOption = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")] = None,
    pictures: Annotated[
        bool, typer.Option(help="Show images in the report; without, it can leave the house.")
    ] = True,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", help="Blur the report's images and hide names.")
    ] = False,
) -> None:
    """Learn an embedding and report on it; R@1 below the recipe's bar is a failure (1).

    A folder that holds a run is left alone without --resume or --force. Ctrl-C saves the run, and
    says how to go on.
    """
    chosen = choose_device(device)
    loaded = load_metric_recipe(recipe, settings or ()).on(chosen)
    if seed is not None:
        loaded = loaded.model_copy(update={"seed": seed})
    folder = run or Path("runs") / loaded.name
    require_room(folder, resume=resume, force=force)
    parts = load_parts(loaded, data)
    print_parts(parts)
    typer.echo(f"{chosen}, {loaded.precision}")
    judged = learn_recipe(loaded, parts, folder, chosen, resume=resume, force=force)
    recall = measure_similarity(judged.embeddings, judged.labels)["R@1"]
    try:
        blur_with = watchful_detector() if blur_faces else None
        report = report_run(
            loaded, parts, judged, folder, chosen, pictures=pictures, blur_with=blur_with
        )
        typer.echo(f"report: {report}")
    except DataError as error:  # too little was held out; the network is learned all the same
        typer.echo(f"no report: {error}", err=True)
    spread = spread_of(judged.embeddings, judged.labels)
    if spread.collapsed:
        typer.echo(collapse_warning(spread), err=True)
    typer.echo(f"R@1 on {len(judged.labels)} held-out images: {recall:.4f}; run: {folder}")
    if loaded.bar is not None and not recall >= loaded.bar:
        typer.echo(f"below the bar of {loaded.bar:.4f}", err=True)
        raise typer.Exit(1)


def print_parts(parts: LearningParts) -> None:
    """Say what was read, divided and skipped."""
    for name, part in (
        ("train", parts.train),
        ("validation", parts.validation),
        ("test", parts.test),
    ):
        typer.echo(f"{name}: {len(part)} images of {part.classes} identities")
    for key, reason in parts.skipped[:5]:
        typer.echo(f"unreadable: {key}: {reason}", err=True)
    if len(parts.skipped) > 5:
        typer.echo(f"unreadable: {len(parts.skipped) - 5} more", err=True)
