"""The words of an answer: known, unknown or ambiguous, and what to do next."""

from __future__ import annotations

from enum import StrEnum

from app.domain.faces import FaceQuality, QualityLimits


class Verdict(StrEnum):
    """Who stands there: one enrolled person, nobody enrolled, or one of several."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


class NextStep(StrEnum):
    """What a door or terminal should do."""

    OPEN = "open"
    ASK_SECOND_FACTOR = "ask_second_factor"
    RETRY_CLOSER = "retry_closer"
    REFUSE = "refuse"


def next_step(
    verdict: Verdict,
    best_probability: float,
    quality: FaceQuality,
    enrollment_limits: QualityLimits,
) -> NextStep:
    """Return what to do.

    An unknown face is worth a second look where the picture is poorer than an enrollment needs
    (``enrollment_limits``), or where it is more probably one employee than anybody else and only
    too far from the threshold; ``best_probability`` is that of the most probable employee.
    """
    if verdict is Verdict.KNOWN:
        return NextStep.OPEN
    if verdict is Verdict.AMBIGUOUS:
        return NextStep.ASK_SECOND_FACTOR
    poor = (
        quality.size_pixels < enrollment_limits.min_size_pixels
        or quality.sharpness < enrollment_limits.min_sharpness
    )
    return NextStep.RETRY_CLOSER if poor or best_probability > 0.5 else NextStep.REFUSE
