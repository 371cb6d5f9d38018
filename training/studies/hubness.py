"""How far embeddings should lean away from crowds: strength, offset, nearest centres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import torch
import torch.nn.functional as F

from training.data.crops import CropSet
from training.data.populations import read_people, read_pools, read_strangers
from training.engines.starts import exported_state
from training.evaluation.embedders import CropEmbedder, ExportedEmbedder
from training.evaluation.false_matches import MIN_PEOPLE
from training.evaluation.kept_answers import CACHE
from training.foundation.arrays import Matrix
from training.foundation.device import choose_device
from training.foundation.errors import CheckpointError
from training.networks.hubness import HubnessCorrection, crowdedness
from training.recipes.build_recipe import joined_recipe, load_build_recipe
from training.recipes.recipe import HubnessRecipe
from training.studies.validation_figures import (
    FIGURES,
    TrialPeople,
    TriedSettings,
    settings_tables,
    trial_figures,
)

CENTRES = "correction.centres"
STRENGTHS = (0.0, 0.2, 0.3, 0.4, 0.5)
OFFSETS = (0.15, 0.2, 0.4)
NEAREST = (1, 6)


def run(data: Path, model: Path) -> TriedSettings:
    """Try other corrections of hubs behind a joint model: strength, offset, nearest centres."""
    embedder = ExportedEmbedder(model, choose_device("cpu"), CACHE)
    centres = F.normalize(read_centres(model / "embedder.pt"), dim=1)
    val, strangers = read_people(data, "val"), read_strangers(data)
    people = TrialPeople(
        val,
        without_last(embedder, val),
        without_last(embedder, strangers),
        read_pools(data / "strangers.csv", strangers.files, MIN_PEOPLE),
    )
    shipped = joined_recipe(load_build_recipe()).hubness
    settings = [
        shipped.model_copy(update={"strength": strength, "offset": offset, "nearest": nearest})
        for strength, offset, nearest in product(STRENGTHS, OFFSETS, NEAREST)
    ]
    usual = {nearest: usual_crowd(people, centres, nearest) for nearest in NEAREST}
    return try_settings(people, centres, usual, settings)


tables = settings_tables


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


def without_last(embedder: CropEmbedder, crops: CropSet) -> Matrix:
    """Return unit embeddings ``(N, D - 1)`` as they were before the last coordinate."""
    rows = torch.from_numpy(embedder.embed(crops))[:, :-1]
    plain: Matrix = F.normalize(rows, dim=1).numpy()
    return plain


def try_settings(
    people: TrialPeople,
    centres: torch.Tensor,
    usual: Mapping[int, float],
    settings: Sequence[HubnessRecipe],
) -> TriedSettings:
    """Return a line of figures for each setting.

    ``usual`` is the crowdedness of most faces, by how many nearest centres make a crowd.
    """
    rows = []
    for setting in settings:
        correction = HubnessCorrection(
            centres, usual[setting.nearest], setting.strength, setting.offset, setting.nearest
        )
        val, strangers = (
            correction(torch.from_numpy(plain)).numpy()
            for plain in (people.plain_val, people.plain_strangers)
        )
        rows.append(
            (
                f"{setting.strength:g}",
                f"{setting.offset:g}",
                str(setting.nearest),
                *trial_figures(people, val, strangers),
            )
        )
    head = ("strength", "offset", "nearest", *FIGURES)
    return TriedSettings(
        title="Corrections of hubs, validation people and strangers", head=head, rows=tuple(rows)
    )
