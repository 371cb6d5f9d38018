"""Active challenges: what to do before the camera so that a picture of a face is not enough."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.challenges.presenters import challenge_body
from app.api.challenges.schemas import ChallengeBody
from app.api.http.problems import problem_docs
from app.api.state import State
from app.domain import errors

router = APIRouter(prefix="/v1", tags=["liveness"])


@router.post(
    "/challenges",
    summary="Ask for a liveness challenge",
    status_code=201,
    responses=problem_docs(errors.ChallengesOffError, errors.BusyError),
)
def give_challenge(state: State) -> ChallengeBody:
    """Return random instructions that a burst must follow, with `FACEGATE_LIVENESS=challenge`.

    Answer with two to five `frames` and the `challenge_id` at verify, identify or a claimed
    employee: one frame at each asked look, in order, the last one straight, from a camera that does
    not mirror. A challenge is spent by its first answer, whatever comes of it; a 503 `busy` checked
    nothing and leaves it open. It lives in the memory of one process and is tied to nothing but its
    id.
    """
    if state.challenges is None:
        raise errors.ChallengesOffError("FACEGATE_LIVENESS is off: there are no challenges")
    return challenge_body(state.challenges.give(), state.challenges.seconds)
