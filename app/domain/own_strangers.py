"""What a gallery says of its own people as strangers to each other: a floor of its thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.policy import RiskPolicy, comparison_rate
from app.domain.tail_fit import MIN_EXCESSES, measure_tail
from app.domain.tails import ImpostorTail

#: With fewer people a gallery says too little about strangers; more than this are not needed.
MIN_OWN_PEOPLE = 100
MAX_OWN_PEOPLE = 1000
OWN_POPULATION = "the customer's own gallery"


@dataclass(frozen=True)
class OwnStrangers:
    """What the customer's own employees say of each other: people sampled, pairs, their tail."""

    people: int
    pairs: int
    tail: ImpostorTail

    def floor(self, rate: float, people: int, risk: RiskPolicy, *, fused: bool = False) -> float:
        """Return the threshold that these people ask for where ``people`` shall give ``rate``.

        ``fused``: the probe is several frames in one. Only what pairs of this gallery show is
        taken; a fit to so few would close the door.
        """
        rate_to_keep = max(comparison_rate(rate, people), self.tail.extrapolated_below)
        floor = self.tail.threshold_at(min(rate_to_keep, self.tail.points[0][0]))
        # Its pairs are of centroids as they are enrolled; a burst is nearer to them all.
        return floor + (risk.shift() if fused else 0.0)


def count_own_strangers(
    centroids: npt.NDArray[np.float32], risk: RiskPolicy
) -> OwnStrangers | None:
    """Return what the centroids ``(N, D)`` of a gallery say; None where they are too few.

    The similarities of everybody to everybody are impostor scores of the customer's own population.
    Pairs as alike as half of all true pairs are left out: they are an audit's business, and would
    let one double enrollment close the door to everybody.
    """
    people = len(centroids)
    if people < MIN_OWN_PEOPLE:
        return None
    first, second = np.triu_indices(people, 1)
    similarities = (centroids @ centroids.T)[first, second]
    strangers = similarities[similarities < risk.surely_one_person]
    # People are what is counted: a double enrollment takes a pair away, and nobody's evidence.
    if len(strangers) <= MIN_EXCESSES:
        return None
    measured = measure_tail(strangers, len(similarities) - len(strangers))
    tail = ImpostorTail(OWN_POPULATION, measured.points, measured.extrapolated_below)
    return OwnStrangers(people, len(strangers), tail)
