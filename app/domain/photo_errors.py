"""What can be wrong with a photo's file beyond its type and size, as facts."""

from __future__ import annotations

from app.domain.errors import PhotoError


class PhotoCutError(PhotoError):
    """The file ends before its picture does, or a part of the picture's data is missing."""

    code = "photo_cut"
    advice = "send all of the file again, for only a part of it came"
