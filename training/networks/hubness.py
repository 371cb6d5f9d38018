"""Embeddings that lean away from crowds: less alike where many different people are close.

Some faces are near to many others (hubs; Radovanovic et al., JMLR 2010), above all those of groups
that a network tells apart badly. One threshold then lets in more strangers there than elsewhere.
Cross-domain similarity local scaling (Conneau et al., ICLR 2018), in speaker recognition adaptive
symmetric score normalisation (Matejka et al., Interspeech 2017), takes from each similarity how
crowded it is round either face. Here both faces do so by themselves, in one more coordinate, so
that a plain cosine of unit vectors is still all that a comparison takes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: How far the last coordinate may go; a unit vector that was nothing else would tell nobody apart.
LIMIT = 0.9
#: Who is less crowded than usual by more than this counts as so much: what is far from everybody
#: need not be a face, and two such pictures are not to be taken for one person. Of validation
#: people one in a thousand is.
EMPTIEST = 0.12


class HubnessCorrection(nn.Module):
    """Unit embeddings ``(N, D)`` to unit embeddings ``(N, D + 1)`` with a sense of crowds.

    With the last coordinate ``b - (1 - b^2) / b * r`` a cosine ``s`` becomes, to first order in
    ``r``, ``b^2 + (1 - b^2) * (s - (1 - s) * (r1 + r2))``: faces that look alike stay alike, and
    strangers lose what their crowds gave them. ``r`` is ``strength`` times how much nearer than
    usual the nearest centres are, and ``b`` is ``offset``.
    """

    def __init__(
        self, centres: Tensor, usual: float, strength: float, offset: float, nearest: int
    ) -> None:
        """``centres`` are unit rows ``(P, D)``; ``nearest`` of them, at most P, make a crowd."""
        super().__init__()
        # A parameter, so that export stores it in half precision with the other weights.
        self.centres = nn.Parameter(centres.clone(), requires_grad=False)
        self.usual, self.nearest, self.offset = usual, nearest, offset
        self.slope = strength * (1 - offset**2) / offset
        self.limit, self.emptiest = LIMIT, EMPTIEST

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return unit embeddings ``(N, D + 1)`` of unit embeddings ``(N, D)``."""
        crowd = crowdedness(embeddings, self.centres, self.nearest) - self.usual
        last = (self.offset - self.slope * crowd.clamp(min=-self.emptiest))[:, None]
        last = last.clamp(-self.limit, self.limit)
        return torch.cat([embeddings * (1 - last * last).sqrt(), last], dim=1)


def crowdedness(embeddings: Tensor, centres: Tensor, nearest: int) -> Tensor:
    """Return the mean cosine of unit rows ``(N, D)`` with their ``nearest`` centres, ``(N,)``."""
    return torch.topk(torch.matmul(embeddings, centres.t()), nearest, dim=1)[0].mean(dim=1)


class CrowdAware(nn.Module):
    """A network with a correction of hubs behind it: one embedder to its callers."""

    def __init__(self, network: nn.Module, correction: HubnessCorrection) -> None:
        """``network`` gives embeddings ``(N, D)`` of any length, ``correction`` takes unit ones."""
        super().__init__()
        self.network, self.correction = network, correction

    def forward(self, crops: Tensor) -> Tensor:
        """Return unit embeddings ``(N, D + 1)`` of RGB crops in 0..255 ``(N, 3, 112, 112)``."""
        embeddings: Tensor = self.correction(F.normalize(self.network(crops), dim=1))
        return embeddings
