"""The shapes of a photo in a request and of the face found in it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from app.domain.faces import QuarterTurn

Base64Photo = Annotated[
    str,
    Field(
        description="A picture file in base64, with either alphabet, padded or not; "
        "a `data:` URL of it is taken as well.",
        json_schema_extra={"format": "byte"},
    ),
]


class QualityBody(BaseModel):
    """Measured facts of a face."""

    size_pixels: float = Field(description="Shorter side of the face box.")
    sharpness: float = Field(description="Variance of the Laplacian, raised in little light.")
    brightness: float = Field(description="Mean luma, 0 to 255; nobody is refused for it.")
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float
    detector_score: float
    recognisability: float | None = Field(
        ge=0,
        le=1,
        description="How far the face is from what the model cannot read (turned, mosaic, "
        "texture), 0 to 1; null for photos of another model.",
    )
    plainness: float | None = Field(
        ge=0,
        le=1,
        description="How surely the face is neither covered (mask, scarf, dark glasses) nor "
        "altered (filter, movement, mirrored half), 0 to 1; null for an enrolled photo, which does "
        "not store it, and for a model that does not tell. Enrollment has a limit on it, a door "
        "has none.",
    )
    clipped_shadows: float | None = Field(
        description="Share of the face's middle that is too dark to hold tones, 0 to 1; null for "
        "an enrolled photo, which does not store it."
    )
    clipped_highlights: float | None = Field(
        description="Share of the face's middle that is overexposed, 0 to 1; null likewise."
    )
    contrast_to_noise: float | None = Field(
        description="How far the face's tones differ over the picture's noise; null likewise."
    )
    inside_share: float | None = Field(
        description="Share of the aligned face that lies within the picture, 0 to 1; null likewise."
    )
    proportion: float | None = Field(
        description="Height over width of the face over what is usual, pose taken back: 1 as it "
        "is, 2 stretched to twice its height; null likewise."
    )


class BoxBody(BaseModel):
    """A rectangle in pixels of the upright photo."""

    x: float
    y: float
    width: float
    height: float


class FaceBody(BaseModel):
    """The face that was used."""

    box: BoxBody
    landmarks: list[tuple[float, float]] = Field(
        description="Left eye, right eye, nose, left and right mouth corner, as seen in the image."
    )
    turned_degrees: QuarterTurn = Field(
        description="The quarter turn, clockwise, at which the face stood in the photo; it was "
        "turned back before it was compared."
    )
    quality: QualityBody
    faces_found: int = Field(description="How many faces the photo shows; the largest was used.")
