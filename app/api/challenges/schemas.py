"""The shape of a liveness challenge."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.domain.challenges import Instruction


class ChallengeBody(BaseModel):
    """A challenge, good for one checked answer."""

    challenge_id: str = Field(description="Send it with the frames that answer.")
    instructions: list[Instruction] = Field(
        description="Where to look, in this order; left and right are the person's own."
    )
    expires_in_seconds: float
