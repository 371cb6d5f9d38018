"""The shapes of the answer about the risk in force."""

from __future__ import annotations

from pydantic import BaseModel, Field


class PromiseBody(BaseModel):
    """A threshold and what it promises.

    Rates are of an attempt: that a stranger is taken for anybody enrolled (1:N), that a false claim
    is accepted (1:1). ``promised_rate`` is an upper bound, by which ``threshold`` was chosen;
    ``worst_group_rate`` is the best estimate of the same rate. Between ``threshold_estimate`` and
    ``threshold`` lies what the bound costs.
    """

    threshold: float = Field(description="What is asked of whoever has the most photos enrolled.")
    threshold_estimate: float = Field(
        description="What the best estimates would ask for, without the upper confidence bound; "
        "not in force, and never above `threshold`."
    )
    population: str = Field(description="The strangers who ask for the highest threshold.")
    comparison_rate: float = Field(description="False-match rate of one comparison, upper bound.")
    stated_rate: float = Field(description="What the operator asked for.")
    promised_rate: float = Field(
        description="What is kept for the worst group: the one-sided upper bound, 95 %, of its "
        "rate, not the rate to expect."
    )
    worst_group_rate: float = Field(description="Best estimate for the worst group.")
    mixed_rate: float = Field(description="Best estimate for strangers of all groups mixed.")
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
    prior_unknown: float
    prior_same: float
    model_version: str
