"""What bursts gain, as records that are written to JSON and into docs/trust.md."""

from __future__ import annotations

from training.foundation.records import Record
from training.metrics.estimates import Estimate


class LineCheck(Record):
    """How well a Platt line speaks for bursts of people it was not fitted on.

    It is fitted on half of the trial's people, or, where nothing was fitted on any of them, the
    model's own. ``fitted_on``: how many frames its probes had. ``cllr`` in bits; ``ece`` over 15
    bins where half of all comparisons are genuine.
    """

    fitted_on: int
    slope: float
    intercept: float
    cllr: float
    ece: Estimate


class FusionFigures(Record):
    """Bursts of ``frames`` frames against a gallery of one enrolled photo a person.

    ``fnir``: genuine bursts not identified where 1 % of strangers' bursts are taken for somebody;
    ``plain_fnir`` with frames weighted alike. ``fnir_at_identify`` and ``fpir_at_identify`` are at
    the threshold of the service's policy, which asks more of several frames. ``shift``: how far the
    similarity that strangers reach at the rate 1e-4 lies above that of the same strangers' single
    frames. ``lines``: the line of single frames, then one for bursts of this length.
    """

    frames: int
    bursts: int
    people: int
    impostors: int
    fnir: Estimate
    plain_fnir: Estimate
    fnir_at_identify: Estimate
    fpir_at_identify: Estimate
    shift: float
    lines: tuple[LineCheck, ...]


class MixtureFigures(Record):
    """How often the check for several people speaks, by the number of frames.

    ``refused``: bursts of one person that are refused; ``missed``: bursts in which one frame is of
    somebody else that are not.
    """

    frames: int
    refused: Estimate
    missed: Estimate


class BurstKind(Record):
    """One way to come by bursts, named by ``source``, and what they gave."""

    source: str
    gallery_people: int
    fusion: tuple[FusionFigures, ...]
    mixtures: tuple[MixtureFigures, ...]


class BurstReport(Record):
    """Everything that ``python -m training study burst`` measured of one model."""

    model: str
    sha256: str | None
    kinds: tuple[BurstKind, ...]
