"""Draws pairs, triplets and batches of P identities by K images, seeded and resumable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.data.crops import NO_LABEL
from training.data.pair_labels import PairLabels
from training.foundation.errors import DataError


@dataclass(frozen=True)
class DrawnPairs:
    """Row numbers of pairs, ``(N,)`` both, and whether each shows one identity."""

    first: Tensor
    second: Tensor
    labels: PairLabels


@dataclass(frozen=True)
class DrawnTriplets:
    """Row numbers ``(N,)``: anchor, another image of its identity, an image of another one."""

    anchor: Tensor
    positive: Tensor
    negative: Tensor


class _IdentityRows:
    """The rows of known identity, sorted by identity, so that partners are found by arithmetic."""

    def __init__(self, labels: Tensor) -> None:
        rows = torch.nonzero(labels != NO_LABEL).flatten()
        self.rows = rows[torch.argsort(labels[rows], stable=True)]
        _, self.counts = torch.unique_consecutive(labels[self.rows], return_counts=True)
        self.starts = self.counts.cumsum(0) - self.counts
        self.identity = torch.repeat_interleave(torch.arange(len(self.counts)), self.counts)

    def refuse_unpairable(self) -> None:
        """Raise ``DataError`` where no pair of one identity, or none of two, can be drawn."""
        if not len(self.counts) or int(self.counts.max()) < 2:
            raise DataError("no identity has two images, so nothing can be the same")
        if len(self.counts) < 2:
            raise DataError("there is only one identity, so nothing can be different")

    def positives(self, places: Tensor, generator: torch.Generator) -> Tensor:
        """Return, for places in ``rows``, those of another image of the same identity."""
        start, count = self.starts[self.identity[places]], self.counts[self.identity[places]]
        step = 1 + _below(count - 1, generator)
        partner: Tensor = start + (places - start + step) % count
        return partner

    def negatives(self, places: Tensor, generator: torch.Generator) -> Tensor:
        """Return, for places in ``rows``, those of an image of another identity."""
        start, count = self.starts[self.identity[places]], self.counts[self.identity[places]]
        step = _below(len(self.rows) - count, generator)
        stranger: Tensor = (start + count + step) % len(self.rows)
        return stranger


class _Drawer:
    """What draws from a generator of its own, and can be put back to where it was."""

    def __init__(self, labels: Tensor, seed: int) -> None:
        self._known = _IdentityRows(labels)
        self._generator = torch.Generator().manual_seed(seed)

    def state(self) -> Tensor:
        """Return what ``restore`` takes to draw the same again."""
        return self._generator.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on from where ``state`` was taken."""
        self._generator.set_state(state)


class _PartnerDrawer(_Drawer):
    """What draws for an image another one of its identity and one of another identity."""

    def __init__(self, labels: Tensor, seed: int) -> None:
        """Take labels ``(N,)``; raise ``DataError`` where pairs of either kind are impossible."""
        super().__init__(labels, seed)
        self._known.refuse_unpairable()
        self._paired = torch.nonzero(self._known.counts[self._known.identity] > 1).flatten()


class PairDrawer(_PartnerDrawer):
    """Pairs, half of one identity: by the labels, never by chance.

    Every image that has a partner is the anchor of a same pair equally often; the partner is any
    other image of its identity, never itself. Images of unknown identity are never drawn.
    """

    def draw(self, count: int) -> DrawnPairs:
        """Return ``count`` pairs in random order; of an odd number one more is different."""
        same_count = count // 2
        same_first = _pick(self._paired, same_count, self._generator)
        other_first = _pick(
            torch.arange(len(self._known.rows)), count - same_count, self._generator
        )
        second = torch.cat(
            [
                self._known.positives(same_first, self._generator),
                self._known.negatives(other_first, self._generator),
            ]
        )
        first = torch.cat([same_first, other_first])
        order = torch.randperm(count, generator=self._generator)
        first, second = first[order], second[order]
        labels = PairLabels.of_identities(self._known.identity[first], self._known.identity[second])
        return DrawnPairs(self._known.rows[first], self._known.rows[second], labels)


class TripletDrawer(_PartnerDrawer):
    """Triplets of an anchor, another image of its identity and an image of another identity."""

    def draw(self, count: int) -> DrawnTriplets:
        """Return ``count`` triplets; every image that has a partner is an anchor equally often."""
        anchor = _pick(self._paired, count, self._generator)
        positive = self._known.positives(anchor, self._generator)
        negative = self._known.negatives(anchor, self._generator)
        rows = self._known.rows
        return DrawnTriplets(rows[anchor], rows[positive], rows[negative])


class PKBatchSampler(_Drawer):
    """Batches of P identities with K images each (Hermans, Beyer and Leibe 2017).

    Of an identity with fewer than K images each comes as often as another, give or take one
    (``few="repeat"``), or the identity is left out (``few="leave_out"``). An identity with one
    image is always left out: its only positive would be itself.

    Why not ``pytorch_metric_learning.samplers.MPerClassSampler``: it draws from one NumPy
    generator of the whole process, which no checkpoint can put back without moving everybody
    else's; it repeats of a few images at random instead of evenly; and it yields a flat list made
    a hundred thousand rows ahead.
    """

    def __init__(
        self,
        labels: Tensor,
        identities: int,
        images: int,
        seed: int,
        few: Literal["repeat", "leave_out"] = "repeat",
    ) -> None:
        """Take labels ``(N,)``, P and K; raise ``DataError`` where fewer than P can be used."""
        super().__init__(labels, seed)
        if identities < 2 or images < 2:
            raise DataError("a batch needs two identities with two images each, at least")
        min_images = 2 if few == "repeat" else images
        self._usable = torch.nonzero(self._known.counts >= min_images).flatten()
        if len(self._usable) < identities:
            raise DataError(
                f"{len(self._usable)} identities have {min_images} images or more, a batch wants "
                f"{identities}"
            )
        self._identities, self._images = identities, images

    def __len__(self) -> int:
        """Batches in one epoch: as many as show about as many images as there are to draw from."""
        drawn_from = int(self._known.counts[self._usable].sum())
        return max(1, drawn_from // (self._identities * self._images))

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the batches of one epoch."""
        for _ in range(len(self)):
            yield self.draw()

    def draw(self) -> Tensor:
        """Return the row numbers ``(P * K,)`` of the next batch, identity after identity."""
        order = torch.randperm(len(self._usable), generator=self._generator)
        chosen = self._usable[order[: self._identities]]
        return torch.cat([self._images_of(int(identity)) for identity in chosen])

    def _images_of(self, identity: int) -> Tensor:
        start, count = int(self._known.starts[identity]), int(self._known.counts[identity])
        rounds = -(-self._images // count)
        places = [torch.randperm(count, generator=self._generator) for _ in range(rounds)]
        return self._known.rows[start + torch.cat(places)[: self._images]]


def _below(limits: Tensor, generator: torch.Generator) -> Tensor:
    """Return for each limit a whole number from 0 to one less."""
    draw = torch.rand(len(limits), generator=generator, dtype=torch.float64)
    return torch.minimum((draw * limits).long(), limits - 1)


def _pick(values: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return values[torch.randint(len(values), (count,), generator=generator)]
