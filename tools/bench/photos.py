"""The pictures that are timed: invented people in frames as cameras send them."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from training.data.invented_people import InventedPerson

_QUALITY = 88


def frame(person: InventedPerson, width: int, height: int, encoding: str = "JPEG") -> bytes:
    """Return a person's photo as a picture of ``width`` x ``height`` px, the face kept in it."""
    with Image.open(person.photos[-1]) as photo:
        share = max(width / photo.width, height / photo.height)
        large = photo.convert("RGB").resize(
            (round(photo.width * share), round(photo.height * share)), Image.Resampling.BICUBIC
        )
    left, top = (large.width - width) // 2, (large.height - height) // 2
    content = BytesIO()
    large.crop((left, top, left + width, top + height)).save(content, encoding, quality=_QUALITY)
    return content.getvalue()
