"""What the examination of a photo file finds before anything is decoded, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.photo_errors import PhotoTooManyPixelsError

#: Longest side of a photo as stored; JPEG's own limit, and room for every camera there is.
MAX_STORED_SIDE = 65_535
#: Bytes that a decoder may unpack for each pixel that a photo may have: 8 bits in three colours.
_BYTES_PER_PIXEL = 3


class PhotoFormat(StrEnum):
    """A type of file that is decoded."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    BMP = "BMP"
    HEIC = "HEIC"
    AVIF = "AVIF"


@dataclass(frozen=True)
class DecodeLimits:
    """What a photo may cost.

    ``max_pixels`` is what the header may announce; what a decoder may unpack follows from it, so
    that pictures with alpha or 16 bits a sample may have fewer pixels. ``max_scans`` is how often a
    JPEG may go over its picture; files of cameras and editors have about ten. Pictures whose
    longest side is above ``max_side`` are reduced to it; ``read_photo`` tells the original's.
    """

    max_bytes: int = 10 * 2**20
    max_pixels: int = 25_000_000
    max_side: int = 4096
    max_scans: int = 100

    @property
    def max_unpacked_bytes(self) -> int:
        """How many bytes a decoder may write."""
        return self.max_pixels * _BYTES_PER_PIXEL

    @property
    def max_block_visits(self) -> int:
        """How many blocks of 8 x 8 samples all scans of a JPEG may go over together.

        The ten scans of a common encoder visit each block of the light four times and each of the
        colours five times: .10 a pixel with colours at half the size, as cameras send them, .14 at
        half the width, .22 at the full size.
        """
        return self.max_pixels * 7 // 40

    @property
    def max_webp_pixels(self) -> int:
        """How many pixels WebP may have: it has no way to decode less, and is the slowest."""
        return self.max_pixels // 2

    @property
    def max_video_pixels(self) -> int:
        """How many pixels HEIC and AVIF may have: video codecs cost several times as much."""
        return self.max_pixels * 5 // 16

    @property
    def max_video_bytes(self) -> int:
        """How many bytes the compressed picture of a HEIC or AVIF file may have."""
        return self.max_bytes // 2


@dataclass(frozen=True)
class PhotoFile:
    """A file whose cost is known to be bounded.

    ``content`` is the picture alone, with all metadata left out, so that no decoder parses what a
    stranger wrote there. ``width`` and ``height`` are as stored, before ``orientation`` (EXIF's
    number, 1 to 8) is applied. ``whole`` is False where the file ended before its picture did, or
    only its last marker is missing: the decoder will tell. ``reducible``: it can be decoded with
    less detail for little, so that doing so first and whole afterwards does not double its cost.
    """

    format: PhotoFormat
    width: int
    height: int
    content: bytes
    orientation: int = 1
    whole: bool = True
    reducible: bool = False

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as the viewer sees them."""
        turned = self.orientation >= 5
        return (self.height, self.width) if turned else (self.width, self.height)


def require_bounded(
    width: int, height: int, unpacked_bytes: int, limits: DecodeLimits, max_pixels: int
) -> None:
    """Raise ``PhotoTooManyPixelsError`` where a photo of this size costs too much to decode.

    ``unpacked_bytes`` is what the decoder writes; bytes that cost more may count more than once.
    """
    if width * height > max_pixels:
        raise PhotoTooManyPixelsError(
            f"the photo has {width} x {height} pixels, at most {max_pixels} are accepted"
        )
    if max(width, height) > MAX_STORED_SIDE:
        raise PhotoTooManyPixelsError(
            f"the photo has {width} x {height} pixels, a side may have {MAX_STORED_SIDE}"
        )
    if unpacked_bytes > limits.max_unpacked_bytes:
        raise PhotoTooManyPixelsError(
            f"unpacking the photo costs as much as {unpacked_bytes} bytes, "
            f"at most {limits.max_unpacked_bytes} are accepted"
        )
