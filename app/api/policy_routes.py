"""The risk in force, and what would be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.api import policy_schemas as schemas
from app.api.problems import problem_docs
from app.api.state import State
from app.domain import errors
from app.domain.own_strangers import OwnStrangers
from app.domain.policy import Promise, PromiseFor
from app.services.policy import DecisionPolicy

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
    cannot support is refused. `choices` compares the settings of FACEGATE_PROMISE_FOR.
    """
    policy, risk = state.policy, state.policy.risk
    own = policy.own_strangers()
    enrolled = policy.enrolled if people is None else people
    rate = risk.targets.fpir if fpir is None else fpir
    if people is not None or fpir is not None:
        risk.require_supported(rate, enrolled)
    choices = [_choice(policy, whom, rate, enrolled) for whom in PromiseFor]
    (present,) = (choice for choice in choices if choice.in_force)
    return schemas.PolicyResponse(
        people=enrolled,
        most_people=present.most_people,
        identify=present.identify,
        verify=present.verify,
        own_gallery=own and _own_gallery(own, policy, rate, enrolled),
        identify_false_rejections=present.identify_false_rejections,
        verify_false_rejections=present.verify_false_rejections,
        promise_for=risk.targets.promise_for,
        choices=choices,
        prior_unknown=policy.prior_unknown,
        prior_same=policy.prior_same,
        model_version=state.manifest.model_version,
    )


def _choice(
    policy: DecisionPolicy, promise_for: PromiseFor, rate: float, people: int
) -> schemas.ChoiceBody:
    """Return what would be promised at these rates if ``promise_for`` were stated."""
    targets = policy.risk.targets
    identify = policy.promise(rate, people, promise_for=promise_for)
    verify = policy.promise(targets.fmr, 1, promise_for=promise_for)
    return schemas.ChoiceBody(
        promise_for=promise_for,
        in_force=promise_for is targets.promise_for,
        most_people=policy.risk.most_people(rate, promise_for),
        identify=_promise(identify),
        verify=_promise(verify),
        identify_false_rejections=_rejections(policy, identify),
        verify_false_rejections=_rejections(policy, verify),
    )


def _own_gallery(
    own: OwnStrangers, policy: DecisionPolicy, rate: float, people: int
) -> schemas.OwnGalleryBody:
    # Of whoever has one photo, who is asked for the least and so is the first to be asked for more.
    bare = policy.risk.promise(rate, people, photos=1), policy.risk.verify(photos=1)
    in_force = policy.promise(rate, people, photos=1), policy.verify(photos=1)
    stricter, verify_stricter = (
        now.threshold.similarity > without.threshold.similarity
        for now, without in zip(in_force, bare, strict=True)
    )
    return schemas.OwnGalleryBody(
        people=own.people, pairs=own.pairs, stricter=stricter, verify_stricter=verify_stricter
    )


def _promise(promise: Promise) -> schemas.PromiseBody:
    return schemas.PromiseBody(
        threshold=promise.threshold.similarity,
        threshold_estimate=promise.threshold_estimate,
        population=promise.threshold.population,
        comparison_rate=promise.threshold.false_match_rate,
        stated_rate=promise.stated_rate,
        promised_rate=promise.promised_rate,
        worst_group_rate=promise.worst_group_rate,
        mixed_rate=promise.mixed_rate,
        promise_for=promise.promise_for,
        groups=[
            schemas.MetRateBody(population=met.population, rate=met.rate, upper=met.upper)
            for met in promise.met
        ],
        kept=promise.kept,
    )


def _rejections(policy: DecisionPolicy, promise: Promise) -> list[schemas.FalseRejectionBody]:
    def asked(photos: int) -> float:
        same = policy.promise(
            promise.stated_rate, promise.people, photos=photos, promise_for=promise.promise_for
        )
        return same.threshold.similarity

    bodies = []
    for refused in policy.risk.false_rejections(asked):
        low, high = refused.interval or (None, None)
        bodies.append(
            schemas.FalseRejectionBody(
                photos=refused.photos,
                threshold=refused.similarity,
                rate=refused.rate,
                low=low,
                high=high,
                people=refused.people,
            )
        )
    return bodies
