"""The commands ``inspect`` and ``preview``: what is in a data set, before anything learns of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.data.blurring import watchful_detector
from training.data.readers.registry import ImageKind, guess_kind, read_images
from training.data.readers.stem_pairs import unpaired_stems
from training.inspection.examination import MAX_BITS, MIN_CORRELATION, inspect_images
from training.inspection.preview import preview_images
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
    images = read_images(chosen, data, leftovers="leave_out")
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
    data: DataArgument = None,
    kind: KindOption = None,
    output: Annotated[Path, typer.Option(help="The PNG file to write.")] = (
        Path("runs/preview.png")
    ),
    size: Annotated[int, typer.Option(help="Side of the network's input in pixels.")] = 128,
    fit: Annotated[
        Fit, typer.Option(help="How pictures are made square; align: the largest face.")
    ] = "crop",
    flip: Annotated[
        float, typer.Option(min=0, max=1, help="How often to mirror; 0 for letters and digits.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(help="Draws other pairs, triplets and changes.")] = 0,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", help="Blur faces and hide names; no face: blur all.")
    ] = False,
) -> None:
    """Draw random pairs, triplets and augmented images of a data set into one picture."""
    images = read_images(kind or guess_kind(data), data, leftovers="leave_out")
    sheet = preview_images(
        images,
        transform=TransformRecipe(size=size, fit=fit),
        generic=GenericAugmentRecipe(flip=flip),
        seed=seed,
        blur_with=watchful_detector() if blur_faces else None,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(output, "PNG")
    typer.echo(f"picture: {output}")
