"""Look-alikes that do not exist: pictures of a person blended with some of somebody else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from app.domain.alignment import ARCFACE_TEMPLATE
from training.data.crops import CROP_MARGIN, CropSet
from training.foundation.arrays import IntArray
from training.foundation.errors import DataError
from training.synthesis.blending import blend_faces

TWIN = " twin"
#: A twin is two parts the person and one part somebody else.
PARTS = (2, 1)

_LANDMARKS = ARCFACE_TEMPLATE.astype(np.float64) + CROP_MARGIN
_AS_THEY_ARE = np.zeros((17, 2))


@dataclass(frozen=True)
class TwinPlan:
    """Whose photos make a twin: rows of the person's own and, one for each, of the ``mate``'s."""

    person: int
    mate: int
    own: IntArray
    other: IntArray


def plan_twins(identities: IntArray, count: int, photos: int) -> list[TwinPlan]:
    """Return plans for the last ``count`` people who have twice ``photos`` photos.

    Their first photos stay theirs, the next ones go into twins. Raises ``DataError`` where
    there are fewer such people, or one alone.
    """
    people, counts = np.unique(identities[identities >= 0], return_counts=True)
    chosen = people[counts >= 2 * photos][len(people[counts >= 2 * photos]) - count :]
    if count < 2 or len(chosen) < count:
        raise DataError(f"{count} twins need as many people of {2 * photos} photos, two at least")
    rows = {int(person): np.flatnonzero(identities == person) for person in chosen}
    return [
        TwinPlan(
            int(person),
            int(mate),
            rows[int(person)][photos : 2 * photos],
            rows[int(mate)][photos : 2 * photos],
        )
        for person, mate in zip(chosen, np.roll(chosen, 1), strict=True)
    ]


def blend_twins(crops: CropSet, plans: list[TwinPlan]) -> CropSet:
    """Return the twins' pictures, plan after plan."""
    own = np.concatenate([plan.own for plan in plans])
    other = np.concatenate([plan.other for plan in plans])
    pictures = crops.images.permute(0, 2, 3, 1).numpy()
    blends = []
    for mine, theirs in zip(own.tolist(), other.tolist(), strict=True):
        parts = [pictures[mine]] * PARTS[0] + [pictures[theirs]] * PARTS[1]
        blends.append(blend_faces(parts, [_LANDMARKS] * len(parts), _AS_THEY_ARE))
    rows = torch.from_numpy(own)
    return replace(
        crops,
        images=torch.from_numpy(np.stack(blends)).permute(0, 3, 1, 2).contiguous(),
        identities=crops.identities[rows],
        groups=crops.groups[rows],
        sources=crops.sources[rows],
        files=tuple(f"{crops.files[row]}{TWIN}" for row in own.tolist()),
    )
