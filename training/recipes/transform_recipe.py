"""The side of the square that a network sees, and how a picture is fitted to it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from training.foundation.records import Record

Fit = Literal["stretch", "crop", "pad", "align"]


class TransformRecipe(Record):
    """The side of the square that a network sees, in pixels, and how a picture is fitted to it.

    "stretch": both sides to ``size``, proportions lost. "crop": the central square. "pad": the
    whole picture on black. These resize bilinearly, averaging where they reduce. "align": the
    largest face, found and warped onto the ArcFace template as the service does it.
    """

    size: int = Field(default=112, ge=1, le=4096)
    fit: Fit = "crop"
