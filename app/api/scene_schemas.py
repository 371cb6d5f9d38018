"""The shapes of one scene before the camera: a photo or a burst, and what became of its frames."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.fusion import MAX_FRAMES

Base64Photo = Annotated[
    str,
    Field(
        description="A picture file in base64, with either alphabet, padded or not; "
        "a `data:` URL of it is taken as well.",
        json_schema_extra={"format": "byte"},
    ),
]


class SceneBody(BaseModel):
    """JSON body with one scene: a photo, or a burst of frames; one of the two."""

    model_config = ConfigDict(extra="forbid")

    photo: Base64Photo | None = None
    frames: list[Base64Photo] | None = Field(
        None,
        min_length=1,
        max_length=MAX_FRAMES,
        description="One to five frames of one scene, oldest first; they are fused by quality.",
    )
    challenge_id: str | None = Field(
        None, max_length=64, description="Of the challenge that the frames answer."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.photo is None) == (self.frames is None):
            raise ValueError("send either photo or frames")
        return self


class FrameBody(BaseModel):
    """What became of one frame of the scene."""

    position: int = Field(description="Position of the frame in the request, from 0.")
    used: bool
    code: str | None = Field(None, description="Why it was left out.", examples=["face_blurred"])
    hint: str | None = Field(None, description="What whoever stands there can do.")
