"""``python -m training embed``, ``search`` and ``verify``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.data.blurring import watchful_detector
from training.evaluation.served import newest_model
from training.foundation.device import choose_device
from training.foundation.errors import DataError
from training.metrics.identification import IdentifiedQuery
from training.report.answers import save_answers
from training.report.sheets import probability_text
from training.search.index import holds_index, open_index
from training.search.models import open_image_embedder, own_threshold
from training.search.parquet import write_embeddings
from training.search.query import (
    answered_query,
    identify_picture,
    pictures_of_query,
    search_picture,
    verify_pictures,
)
from training.search.update import IndexUpdate, embed_folder, update_index

SHOWN_SKIPS = 10

ModelOption = Annotated[
    Path | None,
    typer.Option(
        help="An exported model's folder, the newest of models/embedder; or a learned network: "
        "the folder of a learn run, or its best.pt."
    ),
]
CropsOption = Annotated[
    bool, typer.Option("--crops", help="The pictures are aligned faces of 112 or 128 px.")
]
DeviceOption = Annotated[str | None, typer.Option(help="cpu or cuda; chosen by itself.")]


def embed(
    pictures: Annotated[Path, typer.Argument(help="Folder of pictures, one folder an identity.")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write.")],
    model: ModelOption = None,
    crops: CropsOption = False,
    device: DeviceOption = None,
) -> None:
    """Write the embeddings of a folder's pictures as Parquet: key, label, model, embedding."""
    embedder = open_image_embedder(model or newest_model(), choose_device(device), crops=crops)
    table, skipped = embed_folder(pictures, embedder)
    write_embeddings(out, table, embedder.name)
    _print_skipped(skipped)
    typer.echo(f"{len(table)} embeddings by {embedder.name}: {out}")


def search(
    index_dir: Annotated[Path, typer.Argument(help="Folder of the index; made where it is none.")],
    query: Annotated[Path, typer.Argument(help="The picture to look for.")],
    pictures: Annotated[
        Path | None, typer.Option(help="Folder to search; known where the index exists.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many to show.")] = 5,
    picture: Annotated[Path | None, typer.Option(help="PNG of the query and its answers.")] = None,
    blur_faces: Annotated[
        bool, typer.Option("--blur-faces", help="Blur the picture's faces and hide names.")
    ] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Embed everything again.")] = False,
    model: ModelOption = None,
    crops: CropsOption = False,
    device: DeviceOption = None,
) -> None:
    """Find the most similar pictures and identities; the index is brought up to date before.

    With a learned network identities have a probability, and the query a verdict: known or unknown,
    at the risk that the run's validation was asked for.
    """
    if blur_faces and picture is None:
        raise DataError("--blur-faces is for the picture of the answers; name it: --picture")
    folder = pictures or _indexed_pictures(index_dir)
    chosen = model or newest_model()
    embedder = open_image_embedder(chosen, choose_device(device), crops=crops)
    update = update_index(index_dir, folder, embedder, rebuild=rebuild)
    _print_update(update)
    hits = search_picture(update.index, embedder, query, top)
    table = Table("", "picture", "identity", "similarity")
    for place, hit in enumerate(hits, start=1):
        table.add_row(str(place), hit.key, hit.label or "", f"{hit.similarity:.4f}")
    Console().print(table)
    _print_identities(identify_picture(update.index, embedder, query, chosen, top))
    if picture is not None:
        blur_with = watchful_detector() if blur_faces else None
        shown = pictures_of_query(query, folder)
        save_answers(picture, answered_query(hits), shown, blur_with)
        typer.echo(f"picture: {picture}")


def verify(
    one: Annotated[Path, typer.Argument(help="A picture.")],
    other: Annotated[Path, typer.Argument(help="Another picture.")],
    threshold: Annotated[
        float | None,
        typer.Option(
            min=-1, max=1, help="Similarity; the model's own for 1:1, where one is saved with it."
        ),
    ] = None,
    model: ModelOption = None,
    crops: CropsOption = False,
    device: DeviceOption = None,
) -> None:
    """Say whether two pictures show one person; the exit code is 0 for the same, 1 for not."""
    folder = model or newest_model()
    if threshold is None:
        threshold = own_threshold(folder)
    embedder = open_image_embedder(folder, choose_device(device), crops=crops)
    verdict = verify_pictures(embedder, one, other, threshold)
    decision = "same" if verdict.same else "different"
    typer.echo(f"{decision}: similarity {verdict.similarity:.4f}, threshold {threshold:.4f}")
    if not verdict.same:
        raise typer.Exit(1)


def _print_identities(answer: IdentifiedQuery | None) -> None:
    """Print the nearest identities, with probability and verdict where validation chose a rule."""
    if answer is None:
        return
    table = Table("", "identity", "similarity", "probability")
    for place, hit in enumerate(answer.hits, start=1):
        told = probability_text(hit.probability)
        table.add_row(str(place), hit.label, f"{hit.similarity:.4f}", told)
    Console().print(table)
    if answer.verdict is not None and answer.fpir is not None:
        typer.echo(
            f"verdict: {answer.verdict}, at the risk of {answer.fpir:.1%} that validation chose; "
            f"nobody of these: {probability_text(answer.nobody)}"
        )


def _indexed_pictures(index_dir: Path) -> Path:
    """Return the folder that an index is of."""
    if not holds_index(index_dir):
        raise DataError(f"{index_dir} holds no index yet; name the folder with --pictures")
    return Path(open_index(index_dir).manifest.pictures)


def _print_update(update: IndexUpdate) -> None:
    if update.rebuilt is not None:
        typer.echo(f"index made anew: {update.rebuilt}")
    typer.echo(
        f"index of {len(update.index.table)} pictures: {update.embedded} embedded, "
        f"{update.kept} kept, {update.removed} removed"
    )
    _print_skipped(update.skipped)


def _print_skipped(skipped: Mapping[str, str]) -> None:
    for key, reason in list(skipped.items())[:SHOWN_SKIPS]:
        typer.echo(f"left out: {key}: {reason}", err=True)
    if len(skipped) > SHOWN_SKIPS:
        typer.echo(f"left out: {len(skipped) - SHOWN_SKIPS} more", err=True)
