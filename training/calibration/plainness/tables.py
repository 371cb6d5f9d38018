"""What the limit on plainness costs and catches, as tables."""

from __future__ import annotations

from training.calibration.plainness.fit import FittedPlainness
from training.calibration.plainness.pictures import PLAIN
from training.foundation.sheets import Sheet
from training.metrics.estimates import estimate_text


def plainness_sheets(fitted: FittedPlainness) -> list[Sheet]:
    """Return who is refused of plain pictures, and what is refused of each family of odd ones."""
    limit = fitted.entry.min_enrollment
    cost = Sheet(
        f"Refused at enrollment of pictures as they are (plainness below {limit:.3f})",
        ("pictures", "number", "refused"),
        tuple(
            (name, f"{rate.trials:,}", estimate_text(rate)) for name, rate in fitted.plain.items()
        ),
    )
    caught = Sheet(
        "Refused of random renderings, of people of FairFace who trained nothing",
        ("family", "number", "refused", "by a network that never saw the family"),
        tuple(
            (
                name + (" (should pass)" if name == PLAIN else ""),
                f"{rate.trials:,}",
                estimate_text(rate),
                estimate_text(fitted.unseen[name]) if name in fitted.unseen else "-",
            )
            for name, rate in fitted.caught.items()
        ),
    )
    return [cost, caught]
