"""The targets of a batch: what every teacher says of it, from memory or asked on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.crops import CropSet
from training.recipes.recipe import Recipe
from training.teachers.correction import fit_correction
from training.teachers.targets import clean_targets
from training.teachers.torchscript import Teacher

CORRECTION = "correction"


@dataclass(frozen=True)
class Target:
    """One teacher's unit embeddings ``(N, D)`` of a batch and what they weigh in the loss."""

    name: str
    embeddings: Tensor
    loss_weight: float
    similarity_weight: float


class TargetSource:
    """Gives the targets of a batch, with the correction of the teachers where the recipe has one.

    With ``teacher_view = "clean"`` every crop is shown to the teachers once, before training; with
    ``"augmented"`` the teachers look at the very picture that the student sees.
    """

    def __init__(
        self, recipe: Recipe, crops: CropSet, root: Path, cache: Path, device: torch.device
    ) -> None:
        self.recipe, self.root = recipe, root
        self.device = device
        self.teachers = [Teacher(teacher, root, device) for teacher in recipe.teachers]
        clean: list[Tensor] = []
        if recipe.teacher_view == "clean" or recipe.correction is not None:
            clean = [clean_targets(crops, teacher, cache) for teacher in self.teachers]
        self.correction: nn.Linear | None = None
        if recipe.correction is not None:
            self.correction = fit_correction(recipe, crops, clean).to(device)
        self.clean = clean

    @property
    def dimensions(self) -> dict[str, int]:
        """The size of every teacher's embedding by name; the correction has none of its own."""
        return {
            teacher.name: self.clean[position].shape[1] if self.clean else self._probe(position)
            for position, teacher in enumerate(self.recipe.teachers)
        }

    def _probe(self, position: int) -> int:
        blank = torch.full((1, 3, 112, 112), 128.0, device=self.device)
        return int(self.teachers[position](blank, 112, 0.0).shape[1])

    def of(self, rows: Tensor, pictures: Tensor) -> list[Target]:
        """Return the targets for the crops ``rows``, shown to the student as ``pictures``."""
        if self.recipe.teacher_view == "clean":
            embeddings = [clean[rows].to(self.device) for clean in self.clean]
        else:
            embeddings = [t(pictures, pictures.shape[-1], 0.0) for t in self.teachers]
        targets = [
            Target(spec.name, embedded, spec.loss_weight, spec.similarity_weight)
            for spec, embedded in zip(self.recipe.teachers, embeddings, strict=True)
        ]
        settings = self.recipe.correction
        if self.correction is not None and settings is not None:
            corrected = F.normalize(self.correction(torch.cat(embeddings, dim=1)), dim=1)
            weights = (settings.loss_weight, settings.similarity_weight)
            targets.append(Target(CORRECTION, corrected, *weights))
        return targets


def mean_similarity(targets: list[Target]) -> Tensor:
    """Return the weighted mean ``(N, N)`` of the targets' cosine matrices."""
    total = sum(target.similarity_weight for target in targets)
    matrices = [t.embeddings @ t.embeddings.T * (t.similarity_weight / total) for t in targets]
    return torch.stack(matrices).sum(dim=0)
