"""The shapes that every request and every refusal has: named fields, problems (RFC 9457)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RequestBody(BaseModel):
    """A body of named fields; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class PhotoFailureBody(BaseModel):
    """Why one photo of the request was not used."""

    position: int = Field(description="Position of the photo in the request, from 0.")
    code: str = Field(
        description="Stable reason code.",
        examples=["no_face", "photo_of_somebody_else", "photos_disagree"],
    )
    message: str = Field(description="What was measured and what is needed, for people.")
    hint: str = Field(
        description="The message with what a person can do about it.",
        examples=["the face is 52 px, 80 px are needed: step closer, or send a larger picture"],
    )


class LookAlikeBody(BaseModel):
    """An employee who resembles the face of an enrollment too much."""

    employee_id: str
    full_name: str
    similarity: float = Field(ge=-1, le=1, description="Cosine; higher is closer.")


class ProblemBody(BaseModel):
    """An RFC 9457 problem. Programs decide by ``code``."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(examples=["urn:facegate:problem:no_face"])
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    hint: str | None = Field(
        None, description="With a photo that cannot be used: what a person can do about it."
    )
    candidates: list[LookAlikeBody] | None = Field(
        None, description="With face_already_enrolled: under which ids, the most similar first."
    )
    photos: list[PhotoFailureBody] | None = Field(
        None, description="With no_usable_photo: why each photo failed."
    )
    fields: list[str] | None = Field(
        None, description="With invalid_request: which fields are wrong, and how."
    )
