"""Losses from what is known of people: who is the same, and who is certainly somebody else."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.crops import NO_LABEL


def supervised_contrastive(embeddings: Tensor, identities: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss, L_out of Khosla et al. (NeurIPS 2020), eq. 2.

    ``embeddings`` is ``(N, D)`` of any length, ``identities`` ``(N,)`` with ``NO_LABEL`` where a
    person is unknown: such rows take no part. Anchors without a second picture of their person are
    left out; a batch without any pair gives a differentiable zero.
    """
    known = identities != NO_LABEL
    unit, identities = F.normalize(embeddings, dim=1)[known], identities[known]
    same = identities[:, None] == identities[None, :]
    same.fill_diagonal_(False)
    anchors = same.any(dim=1)
    if not bool(anchors.any()):
        return embeddings.sum() * 0.0
    logits = unit @ unit.T / temperature
    logits = logits.masked_fill(torch.eye(len(unit), dtype=torch.bool, device=unit.device), -1e4)
    log_probability = logits - logits.logsumexp(dim=1, keepdim=True)
    per_anchor = (log_probability * same).sum(dim=1)[anchors] / same.sum(dim=1)[anchors]
    return -per_anchor.mean()


def group_repulsion(embeddings: Tensor, groups: Tensor, margin: float) -> Tensor:
    """Return the mean of max(0, cosine - margin) squared over pairs of one pool.

    A pool (``groups``, ``(N,)``, ``NO_LABEL`` for none) holds people who are all different, of one
    group and gender: the pairs that embedders confuse. A batch without such a pair gives a
    differentiable zero.
    """
    unit = F.normalize(embeddings, dim=1)
    pairs = (groups[:, None] == groups[None, :]) & (groups != NO_LABEL)[:, None]
    pairs = pairs.triu(diagonal=1)
    if not bool(pairs.any()):
        return embeddings.sum() * 0.0
    excess = ((unit @ unit.T)[pairs] - margin).clamp(min=0)
    return excess.square().mean()
