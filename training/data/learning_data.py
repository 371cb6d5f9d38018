"""The images of a run, and what must be true of them before the first batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.data.crops import NO_LABEL
from training.foundation.errors import DataError
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.sampler_recipe import IdentityBatchRecipe


@dataclass(frozen=True)
class LearningData:
    """Images uint8 ``(N, 3, S, S)``, identities int64 ``(N,)``, and a key for each image.

    Identities are numbered 0 to C - 1; ``NO_LABEL`` is an image that only a teacher explains.
    ``label_names`` may name the numbers for messages.
    """

    images: Tensor
    labels: Tensor
    keys: tuple[str, ...]
    label_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ``DataError`` where the parts do not fit."""
        shape = tuple(self.images.shape)
        if self.images.dtype != torch.uint8 or len(shape) != 4 or shape[1] != 3:
            raise DataError(f"images must be uint8 (N, 3, S, S), not {self.images.dtype} {shape}")
        if self.labels.dtype != torch.int64 or self.labels.shape != shape[:1]:
            raise DataError(f"there are {shape[0]} images and labels {tuple(self.labels.shape)}")
        if len(self.keys) != shape[0]:
            raise DataError(f"there are {shape[0]} images and {len(self.keys)} keys")

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def classes(self) -> int:
        """How many identities there are, empty ones included."""
        named = len(self.label_names)
        return max(named, int(self.labels.max()) + 1 if len(self) else 0)

    def images_per_identity(self) -> Tensor:
        """Return how many images each identity has, ``(C,)``."""
        return torch.bincount(self.labels[self.labels != NO_LABEL], minlength=self.classes)

    def part(self, rows: Tensor) -> LearningData:
        """Return some of the images, their identities numbered anew without gaps."""
        labels, known = self.labels[rows], self.labels[rows] != NO_LABEL
        present, numbered = labels[known].unique(return_inverse=True)
        labels = labels.clone()
        labels[known] = numbered
        names = tuple(self._name(number) for number in present.tolist())
        keys = tuple(self.keys[row] for row in rows.tolist())
        return LearningData(self.images[rows], labels, keys, names)

    def _name(self, number: int) -> str:
        return self.label_names[number] if number < len(self.label_names) else str(number)

    def names_of(self, chosen: Tensor) -> str:
        """Return the names of the identities where ``chosen``, bool ``(C,)``, is true."""
        numbers = torch.nonzero(chosen).flatten().tolist()
        shown = ", ".join(self._name(number) for number in numbers[:5])
        return shown + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def check_learnable(data: LearningData, recipe: MetricRecipe) -> None:
    """Raise ``DataError`` where a run could not learn what its recipe asks for."""
    if len(data) < 2:
        raise DataError(f"{len(data)} images are too few to learn from")
    if recipe.loss.name == "none":
        return
    counts = data.images_per_identity()
    if int((counts > 0).sum()) < 2:
        raise DataError("similarity is learned from two identities at least")
    if bool((counts == 0).any()):
        raise DataError(f"identities without any image: {data.names_of(counts == 0)}")
    single = counts == 1
    if recipe.needs_pairs and bool(single.any()):
        raise DataError(
            f'loss "{recipe.loss.name}" in batches by "{recipe.sampler.name}" needs two images of '
            f"every identity; one each have: {data.names_of(single)} "
            "(data.drop_single = true leaves them out)"
        )
    sampler = recipe.sampler
    if isinstance(sampler, IdentityBatchRecipe) and sampler.identities > len(counts):
        raise DataError(
            f"a batch of {sampler.identities} identities cannot be drawn from {len(counts)}"
        )


def check_judgeable(data: LearningData, part: str) -> None:
    """Raise ``DataError`` where no image of the part called ``part`` could find another.

    Said before a run, for it would be learned to its end and then have nothing to say.
    """
    counts = data.images_per_identity()
    if int((counts > 0).sum()) < 2 or int(counts.max()) < 2:
        raise DataError(
            f"the {part} part has {len(data)} images of {int((counts > 0).sum())} identities, and "
            "R@1 needs two identities, one of them with two images: hold out more (data.test, "
            'data.validation), or whole identities (data.divide = "identities")'
        )


def without_single(data: LearningData) -> LearningData:
    """Return the data without identities of one image; unknown ones stay."""
    if data.classes == 0:
        return data
    counts = data.images_per_identity()
    single = (data.labels != NO_LABEL) & (counts[data.labels.clamp(min=0)] == 1)
    return data.part(torch.nonzero(~single).flatten())
