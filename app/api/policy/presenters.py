"""From the policy in force to what it promises, as answered."""

from __future__ import annotations

import math

from app.api.policy import schemas
from app.domain.model_manifest import ModelManifest
from app.domain.own_strangers import OwnStrangers
from app.domain.policy import Promise, PromiseFor
from app.domain.shortcomings import shortcomings
from app.services.policy import DecisionPolicy


def policy_response(
    policy: DecisionPolicy, rate: float, people: int, manifest: ModelManifest
) -> schemas.PolicyResponse:
    """Return what is promised if ``rate`` is stated for 1:N and ``people`` are enrolled."""
    own = policy.own_strangers()
    choices = [_choice(policy, promise_for, rate, people) for promise_for in PromiseFor]
    (present,) = (choice for choice in choices if choice.in_force)
    return schemas.PolicyResponse(
        people=people,
        most_people=present.most_people,
        identify=present.identify,
        verify=present.verify,
        own_gallery=own and _own_gallery(own, policy, rate, people),
        identify_false_rejections=present.identify_false_rejections,
        verify_false_rejections=present.verify_false_rejections,
        promise_for=policy.risk.targets.promise_for,
        choices=choices,
        prior_unknown=policy.prior_unknown,
        prior_same=policy.prior_same,
        evidence=_evidence(manifest),
        model_version=manifest.model_version,
    )


def _evidence(manifest: ModelManifest) -> schemas.EvidenceBody:
    support = manifest.support
    return schemas.EvidenceBody(
        people=support and support.people,
        photos=support and support.photos,
        strangers=support and support.strangers,
        max_likelihood_ratio=support and math.exp(support.log_ratio_bounds[1]),
        populations=[
            schemas.SupportedRatesBody(
                population=tail.population,
                rarest_attempt_rate=tail.rarest_attempt or None,
                rarest_comparison_rate=tail.rarest_rate,
            )
            for tail in manifest.tails
        ],
        recognisability=manifest.recognisability is not None,
        cannot_promise=list(shortcomings(manifest)),
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
        most_people=policy.risk.max_people(rate, promise_for),
        identify=_promise(identify),
        verify=_promise(verify),
        identify_false_rejections=_rejections(policy, identify),
        verify_false_rejections=_rejections(policy, verify),
    )


def _own_gallery(
    own: OwnStrangers, policy: DecisionPolicy, rate: float, people: int
) -> schemas.OwnGalleryBody:
    # Of people with one photo: their threshold is the lowest, and the first to rise.
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
    def threshold_for(photos: int) -> float:
        same = policy.promise(
            promise.stated_rate, promise.people, photos=photos, promise_for=promise.promise_for
        )
        return same.threshold.similarity

    bodies = []
    for refused in policy.risk.false_rejections(threshold_for):
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
