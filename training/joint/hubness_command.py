"""``python -m training hubness``: the grid that chose how far embeddings lean away from crowds."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from rich.console import Console

from training.data.populations import read_people, read_pools, read_strangers
from training.engine.exported_weights import exported_state
from training.evaluation.command import CACHE, DEFAULT_DATA, DataOption
from training.evaluation.embedders import ExportedEmbedder
from training.evaluation.false_matches import LEAST_PEOPLE
from training.evaluation.served import ServedModelOption, newest_model
from training.foundation.device import choose_device
from training.foundation.errors import CheckpointError
from training.foundation.files import write_text
from training.foundation.sheets import markdown, print_sheets
from training.joint.hubness_trial import TrialPeople, trial_sheet, without_last
from training.networks.hubness import crowdedness
from training.recipes.recipe import HubnessRecipe

CENTRES = "correction.centres"
STRENGTHS = (0.0, 0.2, 0.3, 0.4, 0.5)
OFFSETS = (0.15, 0.2, 0.4)
NEAREST = (1, 6)


def hubness(
    model: ServedModelOption = None,
    data: DataOption = DEFAULT_DATA,
    out: Annotated[Path | None, typer.Option(help="Markdown file to write the table to.")] = None,
) -> None:
    """Try other corrections of hubs behind a joint model: strength, offset, nearest centres."""
    folder = model or newest_model()
    embedder = ExportedEmbedder(folder, choose_device("cpu"), CACHE)
    centres = F.normalize(read_centres(folder / "embedder.pt"), dim=1)
    val, strangers = read_people(data, "val"), read_strangers(data)
    people = TrialPeople(
        val,
        without_last(embedder, val),
        without_last(embedder, strangers),
        read_pools(data / "strangers.csv", strangers.files, LEAST_PEOPLE),
    )
    settings = [
        HubnessRecipe(strength=strength, offset=offset, nearest=nearest)
        for strength, offset, nearest in product(STRENGTHS, OFFSETS, NEAREST)
    ]
    usual = {nearest: usual_crowd(people, centres, nearest) for nearest in NEAREST}
    sheet = trial_sheet(people, centres, usual, settings)
    print_sheets([sheet], Console(width=None if Console().is_terminal else 200))
    if out is not None:
        write_text(out, markdown(sheet) + "\n")
        typer.echo(f"written: {out}")


def read_centres(path: Path) -> torch.Tensor:
    """Return the centres of crowds in a model's file; raises ``CheckpointError`` for none."""
    found = [value for name, value in exported_state(path).items() if name.endswith(CENTRES)]
    if not found:
        raise CheckpointError(f"{path} has no correction of hubs")
    return found[0].float()


def usual_crowd(people: TrialPeople, centres: torch.Tensor, nearest: int) -> float:
    """Return how crowded it is round a validation person or a stranger, over both."""
    both = torch.from_numpy(people.plain_val), torch.from_numpy(people.plain_strangers)
    return float(torch.cat([crowdedness(rows, centres, nearest) for rows in both]).mean())
