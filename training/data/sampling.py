"""Draws batches: each source has its share, known people come in pairs, pools come in clusters."""

from __future__ import annotations

import torch
from torch import Tensor

from training.data.crops import NO_LABEL, CropSet
from training.recipes.recipe import CropSourceRecipe


class BatchSampler:
    """Row numbers for one batch after another.

    Of a labelled source half of the rows are drawn at random and each brings another picture of the
    same person, where there is one. Of a source with pools half of the rows come from one pool, so
    that a batch holds pairs that are hard to tell apart.
    """

    def __init__(
        self,
        crops: CropSet,
        sources: tuple[CropSourceRecipe, ...],
        batch_size: int,
        generator: torch.Generator,
    ) -> None:
        self.generator = generator
        self.crops = crops
        counts = [round(source.share * batch_size) for source in sources]
        counts[-1] = batch_size - sum(counts[:-1])
        self.plan = [
            (source, torch.nonzero(crops.sources == position).flatten(), count)
            for position, (source, count) in enumerate(zip(sources, counts, strict=True))
        ]
        self.order = torch.argsort(crops.identities, stable=True)
        ordered = crops.identities[self.order]
        self.first = torch.searchsorted(ordered, crops.identities, right=False)
        self.after = torch.searchsorted(ordered, crops.identities, right=True)
        self.pools = [
            torch.nonzero(crops.groups == group).flatten()
            for group in crops.groups.unique().tolist()
            if group != NO_LABEL
        ]

    def draw(self) -> Tensor:
        """Return the row numbers ``(batch,)`` of the next batch."""
        parts = []
        for source, rows, count in self.plan:
            if source.labelled:
                anchors = self._pick(rows, (count + 1) // 2)
                parts += [anchors, self._partners(anchors)[: count // 2]]
            elif source.attributes and self.pools:
                pool = self.pools[self._below(len(self.pools))]
                parts += [self._pick(pool, count // 2), self._pick(rows, count - count // 2)]
            else:
                parts.append(self._pick(rows, count))
        return torch.cat(parts)

    def _below(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.generator))

    def _pick(self, rows: Tensor, count: int) -> Tensor:
        return rows[torch.randint(len(rows), (count,), generator=self.generator)]

    def _partners(self, anchors: Tensor) -> Tensor:
        first, after = self.first[anchors], self.after[anchors]
        draw = torch.rand(len(anchors), generator=self.generator)
        chosen = self.order[first + (draw * (after - first - 1).clamp(min=1)).long()]
        last = self.order[after - 1]
        return torch.where(chosen == anchors, last, chosen)
