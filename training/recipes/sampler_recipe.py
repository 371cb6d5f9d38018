"""How a run of similarity learning draws its batches: images, or pairs and triplets outright."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from training.foundation.records import Record


class IdentityBatchRecipe(Record):
    """Batches of ``identities`` times ``images`` (P x K of Hermans et al.)."""

    name: Literal["identities"] = "identities"
    identities: int = Field(default=8, ge=2)
    images: int = Field(default=4, ge=2)


class ShuffledBatchRecipe(Record):
    """Batches in a shuffled order, identities as they come."""

    name: Literal["shuffled"]
    batch_size: int = Field(default=32, ge=2)


class PairsRecipe(Record):
    """Batches of ``pairs`` of images, half of one identity: a Siamese run (Hadsell et al. 2006).

    The loss compares the two images of each pair and no others. Fewer than two pairs of a kind are
    refused: pytorch-metric-learning takes one pair of each for none at all.
    """

    name: Literal["pairs"]
    pairs: int = Field(default=64, ge=4)


class TripletsRecipe(Record):
    """Batches of ``triplets``: an image, another of its identity, one of another identity.

    The loss compares the three images of each triplet and no others.
    """

    name: Literal["triplets"]
    triplets: int = Field(default=48, ge=1)


SamplerRecipe = Annotated[
    IdentityBatchRecipe | ShuffledBatchRecipe | PairsRecipe | TripletsRecipe,
    Field(discriminator="name"),
]

#: The samplers that draw what is compared, and the losses that compare just that.
LOSSES_OF_DRAWN: Mapping[str, tuple[str, ...]] = {
    "pairs": ("contrastive", "cosine-contrastive"),
    "triplets": ("triplet",),
}
