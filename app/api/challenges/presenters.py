"""From a challenge to its shape in the answer."""

from __future__ import annotations

from app.api.challenges.schemas import ChallengeBody
from app.services.challenges import Challenge


def challenge_body(challenge: Challenge, seconds: float) -> ChallengeBody:
    """Return a challenge that is open for ``seconds``."""
    return ChallengeBody(
        challenge_id=challenge.challenge_id,
        instructions=list(challenge.instructions),
        expires_in_seconds=seconds,
    )
