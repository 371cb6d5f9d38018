"""The commands ``inspect`` and ``preview``: what is in a data set, before anything learns of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.cli.options import (
    DEFAULT_DATA,
    ColumnOption,
    DataOption,
    SetOption,
    as_columns,
)
from training.data.blurring import watchful_detector
from training.data.readers.registry import ImageKind, guess_kind, read_images
from training.data.readers.stem_pairs import unpaired_stems
from training.foundation.errors import DataError
from training.inspection.examination import MAX_BITS, MIN_CORRELATION, inspect_images
from training.inspection.preview import preview_images, said_of
from training.inspection.previewed import Previewed, names_recipe, previewed_recipe
from training.recipes.augment_recipe import GenericAugmentRecipe
from training.recipes.transform_recipe import Fit, TransformRecipe

DataArgument = Annotated[
    Path | None, typer.Argument(help="Folder or file of images; scikit-learn's digits if absent.")
]
KindOption = Annotated[
    ImageKind | None, typer.Option(help="How the images are stored; guessed from what is there.")
]


def inspect(
    data: DataArgument = None,
    kind: KindOption = None,
    columns: ColumnOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    max_bits: Annotated[
        int,
        typer.Option(
            "--max-bits",
            "--most-bits",
            min=0,
            max=64,
            help="Bits by which near-duplicates' hashes may differ.",
        ),
    ] = MAX_BITS,
    min_correlation: Annotated[
        float,
        typer.Option(
            "--min-correlation",
            "--least-correlation",
            min=-1,
            max=1,
            help="Correlation that near-duplicates have at least.",
        ),
    ] = MIN_CORRELATION,
) -> None:
    """Look at every image: counts, sizes, unreadable files, duplicates. Exit code 1: findings."""
    chosen = kind or guess_kind(data)
    images = read_images(chosen, data, leftovers="leave_out", columns=as_columns(columns))
    report = inspect_images(
        images,
        max_bits=max_bits,
        min_correlation=min_correlation,
        unpaired=unpaired_stems(data) if data and chosen == "stem_pairs" else (),
    )
    if as_json:
        typer.echo(report.to_json())
    else:
        Console().print(report.table())
        for finding in report.findings:
            typer.echo(f"finding: {finding}")
    if report.findings:
        raise typer.Exit(1)


def preview(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA or RECIPE",
            help="Images, or a recipe's name or TOML file: its data, fitted and changed as its run "
            "does it. scikit-learn's digits if absent.",
        ),
    ] = None,
    kind: KindOption = None,
    columns: ColumnOption = None,
    root: DataOption = DEFAULT_DATA,
    settings: SetOption = None,
    output: Annotated[Path, typer.Option(help="The PNG file to write.")] = (
        Path("runs/preview.png")
    ),
    size: Annotated[
        int | None, typer.Option(help="Side of the network's input in pixels; 128.")
    ] = None,
    fit: Annotated[
        Fit | None,
        typer.Option(help="How pictures are made square, crop; align: the largest face."),
    ] = None,
    flip: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="How often to mirror, 0.5; 0 for letters and digits."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws other pairs, triplets and changes.")] = 0,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", help="Blur faces and hide names; no face: blur all.")
    ] = False,
) -> None:
    """Draw random pairs, triplets and augmented images of a data set into one picture.

    Those of a recipe are its run's; without one the augmentation is ``learn``'s by its defaults.
    """
    if what is not None and names_recipe(what):
        if any(option is not None for option in (kind, columns, size, fit, flip)):
            raise DataError("a recipe says itself what is read, fitted and changed: use --set")
        shown = previewed_recipe(what, root, settings or ())
    elif settings:
        raise DataError("--set is for a recipe: preview RECIPE --set KEY=VALUE")
    else:
        data = None if what is None else Path(what)
        images = read_images(
            kind or guess_kind(data), data, leftovers="leave_out", columns=as_columns(columns)
        )
        transform = TransformRecipe(size=size or 128, fit=fit or "crop")
        changes = GenericAugmentRecipe(flip=0.5 if flip is None else flip)
        shown = Previewed(images, transform, changes)
    sheet = preview_images(
        shown.images,
        transform=shown.transform,
        changes=shown.changes,
        seed=seed,
        blur_with=watchful_detector() if blur_faces else None,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(output, "PNG")
    typer.echo(f"augmentation: {said_of(shown.changes)}\npicture: {output}")
