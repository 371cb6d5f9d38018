"""What a model cannot promise, in sentences for whoever runs the door."""

from __future__ import annotations

import math

from app.domain.model_manifest import ModelManifest


def shortcomings(manifest: ModelManifest) -> tuple[str, ...]:
    """Return each thing that the calibration behind the model does not support; none: empty."""
    found: list[str] = []
    support = manifest.support
    if support is not None:
        attempt = max(tail.rarest_attempt for tail in manifest.tails)
        comparison = max(tail.rarest_rate for tail in manifest.tails)
        _, highest = support.log_ratio_bounds
        found.append(
            f"no risk of an attempt rarer than {attempt:.2g}, and no false-match rate of a "
            f"comparison rarer than {comparison:.2g}: {support.strangers} strangers support no "
            "more (rule of three)"
        )
        found.append(
            f"no probability surer than a likelihood ratio of {math.exp(highest):.3g} makes it: "
            f"it is clipped to what {support.strangers} strangers and {support.people} people "
            "support"
        )
        if support.small_groups:
            found.append(
                f"no risk within {', '.join(support.small_groups)}: too few strangers of each to "
                "measure one"
            )
    if len(manifest.tails) == 1:
        found.append(
            "no risk within one group of people: its strangers were not told apart by group, and a "
            "staff of one group may meet more false matches than is stated"
        )
    if manifest.recognisability is None:
        found.append(
            "not that a face can be recognised at all: the model has no centres of what it cannot "
            "read, so that this check is absent"
        )
    return tuple(found)
