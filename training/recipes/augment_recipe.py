"""How images of any kind and size are changed while a network learns from them."""

from __future__ import annotations

from pydantic import Field

from training.foundation.records import Record


class GenericAugmentRecipe(Record):
    """How often and how strongly an image is changed; all zero, it is left exactly as it is.

    ``flip``: probability of a mirror image; 0 for letters and digits. ``crop``: at most this
    fraction of the side is cut away. ``brightness``: shift as a fraction of half the range.
    ``contrast``: gain around the image's mean.
    """

    flip: float = Field(default=0.5, ge=0, le=1)
    crop: float = Field(default=0.15, ge=0, lt=1)
    brightness: float = Field(default=0.2, ge=0, le=1)
    contrast: float = Field(default=0.2, ge=0, le=1)

    @property
    def changes_nothing(self) -> bool:
        """Whether every image stays as it is."""
        return self == NO_CHANGE


NO_CHANGE = GenericAugmentRecipe(flip=0, crop=0, brightness=0, contrast=0)
