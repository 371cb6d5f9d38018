"""``python -m training join-trial``: what other ways to join the shipped networks come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from torch import nn

from training.data.crops import CropSet
from training.data.populations import read_people, read_pools, read_strangers
from training.data.sources import read_sources
from training.engine.distillation import embed_crops
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.false_matches import LEAST_PEOPLE
from training.evaluation.kept_answers import kept_answers
from training.evaluation.served import ServedModelOption, newest_model
from training.export.origin import ORIGIN, JointOrigin
from training.foundation.device import choose_device
from training.foundation.errors import CheckpointError
from training.foundation.files import file_hash, write_text
from training.foundation.precision import precision_of
from training.foundation.sheets import Sheet, markdown, print_sheets
from training.joint.join_trial import Answers, Heard, Joining, join_sheet, joinings, joint_parts
from training.recipes.recipe import Recipe


def join_trial(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    every: Annotated[
        int, typer.Option(min=1, help="Fit on one training picture in so many: quicker, rougher.")
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write the table to.")] = None,
) -> None:
    """Try other ways to join a model's two networks: share, head, crowds; one thing at a time."""
    folder = model or newest_model()
    device = choose_device("cpu")
    typer.echo(f"networks of {folder}; {device}, {precision_of(device)}")
    sheet = trial_of(folder, data, every, joinings(), device)
    print_sheets([sheet], Console(width=None if Console().is_terminal else 200))
    if out is not None:
        write_text(out, markdown(sheet) + "\n")
        typer.echo(f"written: {out}")


def trial_of(
    folder: Path,
    data: Path,
    every: int,
    wanted: Sequence[tuple[str, Joining]],
    device: torch.device,
) -> Sheet:
    """Return a line for each way ``wanted`` to join the two networks of a model's folder.

    The heads are fitted on one in ``every`` of the training pictures. Raises ``CheckpointError``
    where the model is not of two networks, and ``DataError`` where no group of strangers is large.
    """
    recipe, networks = recipe_of(folder), joint_parts(folder / "embedder.pt")
    crops = read_sources(recipe, data)
    crops = crops.of(torch.arange(0, len(crops), every))
    val, strangers = read_people(data, "val"), read_strangers(data)
    key = str(file_hash(folder / "embedder.pt"))
    heard = Heard(
        crops, *(answers(networks, part, key, device) for part in (crops, val, strangers))
    )
    pools = read_pools(data / "strangers.csv", strangers.files, LEAST_PEOPLE)
    return join_sheet(recipe, heard, val, pools, wanted)


def recipe_of(folder: Path) -> Recipe:
    """Return the recipe whose pictures a joint model's head was fitted on.

    Raises ``CheckpointError`` where the model is not of two networks.
    """
    origin = ORIGIN.validate_python(json.loads((folder / "manifest.json").read_text())["origin"])
    if not isinstance(origin, JointOrigin):
        raise CheckpointError(f"{folder} is not of two networks behind one head")
    return origin.trained.recipe


def answers(
    networks: tuple[nn.Module, nn.Module], crops: CropSet, key: str, device: torch.device
) -> Answers:
    """Return what both networks say of ``crops``, kept on disk by ``key`` of their file."""
    precision = precision_of(device)

    def answer(name: str, network: nn.Module) -> torch.Tensor:
        with precision.on(device):
            kept = kept_answers(
                CACHE,
                f"{key} {name} {precision}",
                crops,
                lambda crops: embed_crops(network, crops, device).numpy(),
            )
        return torch.from_numpy(kept)

    first, second = networks
    return Answers(answer("first", first), answer("second", second))
