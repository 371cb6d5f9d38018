"""Divides images into what is learned from, what watches over it, and what judges it at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.data.crops import NO_LABEL
from training.foundation.errors import DataError
from training.recipes.metric_recipe import DataRecipe


@dataclass(frozen=True)
class Division:
    """Row numbers of the three parts, ascending; ``validation`` may be empty."""

    train: Tensor
    validation: Tensor
    test: Tensor


def divide(
    labels: Tensor,
    splits: Sequence[str | None],
    recipe: DataRecipe,
    names: Sequence[str] = (),
) -> Division:
    """Return the parts of images with identities ``(N,)`` and the data set's own ``splits``.

    ``names`` are those of the identities, for a recipe that keeps kin together. The same recipe
    divides the same data in the same way. Images of unknown identity are learned from (by a
    teacher's help) and never judged. Raises ``DataError`` where a part is empty.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    if recipe.divide == "split":
        part = _by_split(labels, splits, recipe.validation, generator)
    elif recipe.divide == "images":
        part = _by_images(labels, recipe, generator)
    else:
        part = _by_identities(_families(labels, recipe.kin, names), recipe, generator)
    train, validation, test = (torch.nonzero(part == number).flatten() for number in range(3))
    for name, rows, wanted in (
        ("train", train, True),
        ("validation", validation, recipe.divide != "split" and recipe.validation > 0),
        ("test", test, True),
    ):
        if wanted and len(rows) == 0:
            raise DataError(f'dividing {len(labels)} images by "{recipe.divide}" leaves no {name}')
    return Division(train, validation, test)


def _families(labels: Tensor, kin: str | None, names: Sequence[str]) -> Tensor:
    """Return a number for each image's family, which is its identity's own where it has no kin."""
    if kin is None:
        return labels
    found = [re.search(kin, name) for name in names]
    families = [match.group() if match else f"\0{n}" for n, match in enumerate(found)]
    number = {family: position for position, family in enumerate(dict.fromkeys(families))}
    of_identity = torch.tensor([number[family] for family in families])
    return torch.where(labels == NO_LABEL, labels, of_identity[labels.clamp(min=0)])


def _by_identities(labels: Tensor, recipe: DataRecipe, generator: torch.Generator) -> Tensor:
    present = labels[labels != NO_LABEL].unique()
    order = present[torch.randperm(len(present), generator=generator)]
    tested = max(1, round(recipe.test * len(order)))
    watched = max(1, round(recipe.validation * len(order))) if recipe.validation > 0 else 0
    part = torch.zeros(len(labels), dtype=torch.int64)
    part[torch.isin(labels, order[:tested])] = 2
    part[torch.isin(labels, order[tested : tested + watched])] = 1
    return part


def _by_images(labels: Tensor, recipe: DataRecipe, generator: torch.Generator) -> Tensor:
    part = torch.zeros(len(labels), dtype=torch.int64)
    for label in labels[labels != NO_LABEL].unique().tolist():
        rows = torch.nonzero(labels == label).flatten()
        rows = rows[torch.randperm(len(rows), generator=generator)]
        tested, watched = round(recipe.test * len(rows)), round(recipe.validation * len(rows))
        part[rows[:tested]] = 2
        part[rows[tested : tested + watched]] = 1
    return part


def _by_split(
    labels: Tensor,
    splits: Sequence[str | None],
    validation: float,
    generator: torch.Generator,
) -> Tensor:
    unknown = sorted({s for s in splits if s} - {"train", "validation", "test"})
    if unknown:
        raise DataError(f"splits must be train, validation and test, not {', '.join(unknown)}")
    number = {"train": 0, "validation": 1, "test": 2, None: 0}
    part = torch.tensor([number[split] for split in splits], dtype=torch.int64)
    judged_unknown = (labels == NO_LABEL) & (part > 0)
    part[judged_unknown] = 0
    if validation > 0 and "validation" not in splits:
        for label in labels[(labels != NO_LABEL) & (part == 0)].unique().tolist():
            rows = torch.nonzero((labels == label) & (part == 0)).flatten()
            rows = rows[torch.randperm(len(rows), generator=generator)]
            part[rows[: round(validation * len(rows))]] = 1
    return part
