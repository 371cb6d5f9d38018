"""The shapes of the answers about the service itself: its model, its health."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from app.domain.runtime import Runtime


class ThresholdBody(BaseModel):
    """A threshold and what it stands for."""

    similarity: float
    false_match_rate: float
    population: str


class ModelResponse(BaseModel):
    """The loaded embedder and the policy in force."""

    name: str
    version: str
    model_version: str
    format: str
    sha256: str
    runtime: Runtime = Field(description="What runs the model on this machine; never `auto`.")
    embedding_dim: int
    alignment: str
    identify: ThresholdBody
    verify: ThresholdBody
    prior_unknown: float
    prior_same: float


class CheckBody(BaseModel):
    """One thing that was tried."""

    name: str = Field(examples=["registry"])
    ok: bool
    detail: str = Field(description="What is wrong, for an administrator.")


class LeftOutBody(BaseModel):
    """A stored photo that is in no comparison."""

    employee_id: str | None = Field(description="Only for callers who have the key.")
    photo_id: str | None = Field(description="None where the reason is one of all the photos.")
    reason: str


class ReadinessResponse(BaseModel):
    """Whether the service can decide and enroll."""

    ready: bool
    recognition: bool
    index_current: bool
    employees: int
    detail: str = Field(description="What is wrong, and what else an administrator should know.")
    checks: list[CheckBody]
    left_out_count: int
    left_out: list[LeftOutBody] = Field(description="The first 50.")


class HealthResponse(BaseModel):
    """The process lives."""

    status: Literal["alive"] = "alive"
