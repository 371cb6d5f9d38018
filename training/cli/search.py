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
from training.search.index import ForeignIndexError, MadeWith, holds_index, open_index
from training.search.models import open_image_embedder, own_line, own_threshold
from training.search.parquet import write_embeddings
from training.search.query import (
    answered_query,
    embed_query,
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
        help="An exported model's folder; or a learned network: the folder of a learn run, or its "
        "best.pt. Else the index's own, or the newest of models/embedder."
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
    made_with = _model_of(index_dir, model, crops=crops)
    chosen = Path(made_with.model)
    embedder = open_image_embedder(chosen, choose_device(device), crops=made_with.crops)
    update = update_index(index_dir, folder, embedder, made_with=made_with, rebuild=rebuild)
    _print_update(update)
    embedded = embed_query(update.index, embedder, query)
    for key in sorted(embedded.itself):
        typer.echo(f"the query itself, no answer: {key}")
    hits = search_picture(update.index, embedded, top)
    table = Table("", "picture", "identity", "similarity")
    for place, hit in enumerate(hits, start=1):
        table.add_row(str(place), hit.key, hit.label or "", f"{hit.similarity:.4f}")
    Console().print(table)
    _print_identities(identify_picture(update.index, embedded, chosen, top))
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
    """Say whether two pictures show one identity; the exit code is 0 for the same, 1 for not.

    The probability is that of one identity where half of all pairs are.
    """
    folder = model or newest_model()
    if threshold is None:
        threshold = own_threshold(folder)
    embedder = open_image_embedder(folder, choose_device(device), crops=crops)
    verdict = verify_pictures(embedder, one, other, threshold, own_line(folder))
    probability = "none: the model was not calibrated"
    if verdict.probability is not None:
        probability = probability_text(verdict.probability)
    typer.echo(f"similarity   {verdict.similarity:.4f}")
    typer.echo(f"distance     {verdict.distance:.4f}")
    typer.echo(f"probability  {probability}")
    typer.echo(f"threshold    {threshold:.4f}")
    typer.echo(f"verdict      {'same' if verdict.same else 'different'}")
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


def _model_of(index_dir: Path, model: Path | None, *, crops: bool) -> MadeWith:
    """Return the model to search with: the one named, else the index's own, else the newest."""
    if model is not None:
        return MadeWith(model=str(model.resolve()), crops=crops)
    if not holds_index(index_dir):
        return MadeWith(model=str(newest_model().resolve()), crops=crops)
    manifest = open_index(index_dir).manifest
    if manifest.made_with is None:
        raise ForeignIndexError(
            f"{index_dir} was made by {manifest.model} and does not say where that lies; name it "
            "with --model"
        )
    if not Path(manifest.made_with.model).exists():
        raise ForeignIndexError(
            f"{index_dir} was made by {manifest.model}, which is no longer at "
            f"{manifest.made_with.model}; name it with --model, or another with --rebuild"
        )
    kept = manifest.made_with
    return kept.model_copy(update={"crops": True}) if crops else kept


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
