"""Where an embedder's crowds are, fitted on people who are all different.

No identities are needed, only a mixture of people in which every group has its share. What is kept
are the centres of some hundred crowds of at least ``MIN_PEOPLE`` people each: nobody's embedding.
"""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from torch import Tensor

from training.data.crops import NO_LABEL, CropSet
from training.foundation.errors import DataError
from training.networks.hubness import HubnessCorrection, crowdedness
from training.recipes.recipe import HubnessRecipe

MIN_PEOPLE = 20
HELD_OUT = 10  # one person in so many tells how crowded it usually is
ROUNDS = 15


def fit_hubness(embeddings: Tensor, settings: HubnessRecipe, seed: int) -> HubnessCorrection:
    """Return the correction for unit embeddings ``(N, D)`` of ``N`` different people.

    Raises ``DataError`` where fewer than ``MIN_PEOPLE`` can be in crowds.
    """
    held_out = torch.arange(len(embeddings)) % HELD_OUT == 0
    if int((~held_out).sum()) < MIN_PEOPLE:
        raise DataError(
            f"{len(embeddings)} different people are too few to find crowds: {MIN_PEOPLE} are "
            f"needed beside the one in {HELD_OUT} who is held out"
        )
    centres = _centres(embeddings[~held_out], settings.centres, seed)
    nearest = min(settings.nearest, len(centres))
    # A centre is nearer to the people whose mean it is than to any other of their kind.
    usual = float(crowdedness(embeddings[held_out], centres, nearest).mean()) - settings.nearer
    return HubnessCorrection(centres, usual, settings.strength, settings.offset, nearest)


def one_of_each(crops: CropSet) -> Tensor:
    """Return rows of different people: the first of each identity, and all of unknown people."""
    seen: set[int] = set()
    rows = []
    for row, identity in enumerate(crops.identities.tolist()):
        if identity == NO_LABEL or identity not in seen:
            seen.add(identity)
            rows.append(row)
    return torch.tensor(rows)


def _centres(embeddings: Tensor, count: int, seed: int) -> Tensor:
    """Return unit centres ``(P, D)`` by k-means, each of at least ``MIN_PEOPLE`` rows."""
    count = max(1, min(count, len(embeddings) // (2 * MIN_PEOPLE)))
    means = KMeans(count, n_init=1, max_iter=ROUNDS, random_state=seed)
    # More than two threads add up their shares of a centre in the order in which they end.
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after some rounds
        nearest = torch.from_numpy(means.fit_predict(embeddings.numpy())).long()
    people = torch.bincount(nearest, minlength=count)
    centres = torch.from_numpy(means.cluster_centers_).float()[people >= MIN_PEOPLE]
    return F.normalize(centres, dim=1)
