"""The shapes of the answer about the risk in force."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.domain.policy import PromiseFor


class MetRateBody(BaseModel):
    """What a threshold does to one population: a gallery and strangers of that group and gender."""

    population: str
    rate: float = Field(description="Best estimate.")
    upper: float = Field(description="One-sided upper bound of it, 95 %.")


class PromiseBody(BaseModel):
    """A threshold and what it promises.

    Rates are of an attempt: that a stranger is taken for anybody enrolled (1:N), that a false claim
    is accepted (1:1). ``promised_rate`` is an upper bound, by which ``threshold`` was chosen;
    ``worst_group_rate`` is the best estimate of the same rate. Between ``threshold_estimate`` and
    ``threshold`` lies what the bound costs.
    """

    threshold: float = Field(description="The threshold of people with the most photos enrolled.")
    threshold_estimate: float = Field(
        description="What the best estimates would ask for, without the upper confidence bound; "
        "not in force, and never above `threshold`."
    )
    population: str = Field(description="The strangers who ask for the highest threshold.")
    comparison_rate: float = Field(description="False-match rate of one comparison, upper bound.")
    stated_rate: float = Field(description="What the operator asked for.")
    promised_rate: float = Field(
        description="What is kept for `promise_for`: the one-sided upper bound, 95 %, "
        "of that rate, not the rate to expect."
    )
    promise_for: PromiseFor = Field(
        description="`worst-group`: kept for everybody enrolled. `mixed`: kept for strangers of "
        "all groups mixed, and within one group seldom."
    )
    worst_group_rate: float = Field(description="Best estimate for the worst group.")
    mixed_rate: float = Field(description="Best estimate for strangers of all groups mixed.")
    groups: list[MetRateBody] = Field(
        description="What each population would meet, strangers of all groups mixed first, with "
        "everybody enrolled of that population too."
    )
    kept: bool = Field(description="False where the data supports no rate as rare as the stated.")


class OwnGalleryBody(BaseModel):
    """What the enrolled people say of each other; it may only make a threshold stricter."""

    people: int
    pairs: int
    stricter: bool = Field(description="Whether it makes the threshold of identify stricter.")
    verify_stricter: bool = Field(description="Whether it makes that of verify (1:1) stricter.")


class FalseRejectionBody(BaseModel):
    """How often an enrolled person would be refused, measured on validation people.

    ``low`` and ``high`` are an interval of 95 % (Clopper and Pearson) that counts ``people`` and
    not their photos, as if each had been tried once; null where the model does not tell how many
    there were. With one photo enrolled, people of many photos weigh more in the rate, and the
    interval is a little too narrow.
    """

    photos: int = Field(description="Photos enrolled of that person.")
    threshold: float = Field(
        description="What is asked of that person: fewer photos, less, for strangers are nearer to "
        "the mean of several photos than to one."
    )
    rate: float
    low: float | None
    high: float | None
    people: int | None = Field(description="Validation people behind the rate.")


class ChoiceBody(BaseModel):
    """What one setting of FACEGATE_PROMISE_FOR would promise, and what it would refuse."""

    promise_for: PromiseFor
    in_force: bool
    most_people: int = Field(description="Up to how many people the stated rate can be promised.")
    identify: PromiseBody
    verify: PromiseBody
    identify_false_rejections: list[FalseRejectionBody]
    verify_false_rejections: list[FalseRejectionBody]


class SupportedRatesBody(BaseModel):
    """How rare a rate the pairs of one population of strangers support."""

    population: str
    rarest_attempt_rate: float | None = Field(
        description="No rarer risk of an attempt is offered, whoever is enrolled: 3 over the "
        "number of strangers (rule of three). Null where the confidence bounds alone limit it."
    )
    rarest_comparison_rate: float = Field(
        description="No rarer false-match rate of one comparison is offered."
    )


class EvidenceBody(BaseModel):
    """What the loaded model was calibrated on, and what it cannot promise because of that.

    A model that was calibrated on an operator's own people says how many they were, and neither
    thresholds nor probabilities go beyond them; the counts are null for a model whose tails carry
    confidence bounds of their own.
    """

    people: int | None = Field(description="People whose photos were compared with each other.")
    photos: int | None = Field(description="Their photos.")
    strangers: int | None = Field(description="Strangers, one photo each.")
    max_likelihood_ratio: float | None = Field(
        description="Probabilities are clipped to what this likelihood ratio makes of the prior: "
        "a third of the number of strangers."
    )
    populations: list[SupportedRatesBody] = Field(
        description="Strangers of all groups mixed first, then each group that was measured."
    )
    recognisability: bool = Field(
        description="Whether a face that the model cannot read is noticed. False: the check is "
        "absent, for the model came without it."
    )
    cannot_promise: list[str] = Field(
        description="What follows from that, in words; empty where nothing is lacking."
    )


class PolicyResponse(BaseModel):
    """The risk in force: what was stated, and what is promised with the people enrolled now."""

    people: int
    most_people: int = Field(description="Up to how many people the stated rate can be promised.")
    identify: PromiseBody
    verify: PromiseBody
    own_gallery: OwnGalleryBody | None
    identify_false_rejections: list[FalseRejectionBody] = Field(
        description="What more enrolled photos would buy."
    )
    verify_false_rejections: list[FalseRejectionBody]
    promise_for: PromiseFor = Field(description="FACEGATE_PROMISE_FOR.")
    choices: list[ChoiceBody] = Field(
        description="The same for each setting of FACEGATE_PROMISE_FOR: what it promises to each, "
        "what each group would meet, and what employees pay for it."
    )
    prior_unknown: float
    prior_same: float
    evidence: EvidenceBody = Field(
        description="What the model was calibrated on, and what it cannot promise because of that."
    )
    model_version: str
