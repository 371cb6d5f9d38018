"""What ends a test of the image."""

from __future__ import annotations


class ImageFaultError(Exception):
    """The image, or what compose makes of it, is not as it should be."""


class CannotTestError(Exception):
    """The test cannot run here; the message names what is missing."""
