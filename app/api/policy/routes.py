"""The risk in force, and what would be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.http.problems import problem_docs
from app.api.policy import schemas
from app.api.policy.presenters import policy_response
from app.api.state import State
from app.domain import errors

router = APIRouter(tags=["service"])


@router.get(
    "/v1/policy",
    summary="The risk in force, and what it promises",
    responses=problem_docs(errors.UnsupportedRiskError),
)
def read_policy(
    state: State,
    people: Annotated[
        int | None, Query(ge=0, le=1_000_000, description="As if so many were enrolled.")
    ] = None,
    fpir: Annotated[
        float | None, Query(gt=0, lt=0.5, description="As if this were FACEGATE_TARGET_FPIR.")
    ] = None,
) -> schemas.PolicyResponse:
    """Return the thresholds with their promises, and what they cost enrolled people.

    The threshold for 1:N moves by itself as people come and go: against N people a stranger has N
    chances. With `people` or `fpir` the answer is what would be; what the data behind the model
    cannot support is refused. `evidence` says what that is. `choices` compares the settings of
    FACEGATE_PROMISE_FOR.
    """
    policy, risk = state.policy, state.policy.risk
    enrolled = policy.enrolled if people is None else people
    rate = risk.targets.fpir if fpir is None else fpir
    if people is not None or fpir is not None:
        risk.require_supported(rate, enrolled)
    return policy_response(policy, rate, enrolled, state.manifest)
