"""The teachers corrected: a linear head on all of them together, fitted on what the data knows.

The teachers confuse people of some groups. A linear head on their concatenated embeddings, trained
with supervised contrast on known people and repulsion inside pools of different people, mends a
good part of that at no cost in pictures, for it needs none: only the teachers' clean embeddings.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from rich.progress import track
from torch import Tensor, nn

from training.data.crops import CropSet
from training.data.sampling import BatchSampler
from training.losses.distillation import similarity_distillation
from training.losses.identity import group_repulsion, supervised_contrastive
from training.recipes.recipe import Recipe


def fit_correction(recipe: Recipe, crops: CropSet, teacher_embeddings: list[Tensor]) -> nn.Linear:
    """Return the fitted head; it maps concatenated unit embeddings ``(N, sum D)`` to ``(N, D)``."""
    settings = recipe.correction
    if settings is None:
        raise ValueError("the recipe asks for no correction")
    generator = torch.Generator().manual_seed(recipe.seed)
    joined = torch.cat(teacher_embeddings, dim=1)
    length = len(teacher_embeddings) ** 0.5  # of a row: its cosines are the teachers' mean cosines
    head = nn.Linear(joined.shape[1], settings.embedding_dim, bias=False)
    _initialise(head, joined)
    optimiser = torch.optim.AdamW(head.parameters(), lr=settings.learning_rate, weight_decay=0.0)
    sampler = BatchSampler(crops, recipe.sources, settings.batch_size, generator)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    for _ in track(range(settings.steps), description="correction"):
        rows = sampler.draw()
        seen = joined[rows]
        embeddings = head(seen)
        contrast = supervised_contrastive(
            embeddings, crops.identities[rows], recipe.loss.identity_temperature
        )
        repulsion = group_repulsion(embeddings, crops.groups[rows], settings.repulsion_margin)
        kept = similarity_distillation(embeddings, (seen / length) @ (seen / length).T)
        loss = contrast + settings.repulsion * repulsion + settings.similarity * kept
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return head.requires_grad_(False)


def _initialise(head: nn.Linear, joined: Tensor) -> None:
    """Start from the principal directions, which keep the teachers' mean similarity best."""
    sample = joined[:: max(1, len(joined) // 20_000)]
    directions = torch.linalg.svd(sample, full_matrices=False).Vh[: head.out_features]
    with torch.no_grad():
        head.weight.copy_(F.pad(directions, (0, 0, 0, head.out_features - len(directions))))
