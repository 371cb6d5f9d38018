"""From a file's bytes or an array of any depth to an upright RGB picture of 8 bits."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, TiffImagePlugin

from app.domain.faces import Picture
from app.domain.photo_errors import PhotoError, UnsupportedPhotoTypeError
from app.vision.decode import DecodeLimits, decode_photo
from training.data.images import ImageItem, UnreadableImageError

#: What a reader takes for an image, by its name.
PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".webp", ".bmp"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".gif", ".tif", ".tiff"),
)
LIMITS = DecodeLimits(max_bytes=64 * 2**20, max_pixels=100_000_000)
#: Formats that the service refuses and old data sets use.
_OLDER_FORMATS = ("PPM", "GIF", "TIFF")
_BITS = 8  # of a channel, usually
_PNG_DEPTH = 24  # place of the byte in a PNG file: signature, then IHDR (W3C PNG, 11.2.1)
_TIFF_DEPTH = 258  # BitsPerSample (TIFF 6.0)
_DEEP_STEP = 257  # 65535 / 255


def read_picture(path: Path, key: str) -> Picture:
    """Return the picture in a file; raises ``UnreadableImageError`` naming ``key`` and reason."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{key}: {error.strerror or error}") from error
    return decode_picture(content, key)


def file_item(path: Path, key: str, label: str | None, split: str | None = None) -> ImageItem:
    """Return the item of a picture's file; nothing is read before it is asked for."""
    return ImageItem(key, label, partial(read_picture, path, key), split, path.read_bytes)


def stored_form(content: bytes) -> str:
    """Return how a file stores its pixels: Pillow's mode, and what that does not tell.

    Such as "L", "I;16", "RGBA", "CMYK", "P with transparency", "RGB of 16 bits": Pillow reads
    deeper colour as 8 bits and says nothing, so that the depth is the header's. Raises
    ``UnreadableImageError`` where there is no header of a picture.
    """
    try:
        with Image.open(BytesIO(content)) as image:
            form, bits = image.mode, _stored_bits(image, content)
            hidden = image.has_transparency_data and "A" not in image.mode
    except Exception as error:  # Pillow's plugins raise whatever a broken file leads them to
        raise UnreadableImageError("this is no picture that can be decoded") from error
    description = f"{form} with transparency" if hidden else form
    deeper = bits > _BITS and not form.startswith(("I", "F"))  # these say it themselves
    return f"{description} of {bits} bits" if deeper else description


def decode_picture(content: bytes, key: str) -> Picture:
    """Return the upright RGB picture of a file's bytes.

    JPEG, PNG, WebP and BMP go the service's own way (``app.vision.decode``), so that a network
    sees in training what it will see when it serves; the PPM family, GIF and TIFF are for data
    sets. Raises ``UnreadableImageError`` naming ``key`` and reason.
    """
    try:
        return decode_photo(content, LIMITS)
    except UnsupportedPhotoTypeError:
        return _decode_older(content, key)
    except PhotoError as error:
        raise UnreadableImageError(f"{key}: {error}") from error


def as_rgb(pixels: npt.NDArray[np.generic]) -> Picture:
    """Return any picture as uint8 RGB ``(height, width, 3)``.

    Takes grey ``(H, W)`` or ``(H, W, 1)``, grey with alpha ``(H, W, 2)``, RGB and RGBA; bool,
    uint8, or deeper integers, which are read as 16 bits. Transparency is laid over white, as the
    service does. Raises ``UnreadableImageError`` for every other shape or type.
    """
    shallow = _eight_bits(pixels)
    if shallow.ndim == 2:
        shallow = shallow[:, :, None]
    if shallow.ndim != 3 or shallow.shape[2] not in (1, 2, 3, 4) or 0 in shallow.shape:
        raise UnreadableImageError(f"an array of shape {pixels.shape} is not a picture")
    channels = shallow.shape[2]
    if channels in (2, 4):
        shallow = _over_white(shallow[:, :, :-1], shallow[:, :, -1:])
    if channels <= 2:
        shallow = np.repeat(shallow, 3, axis=2)
    return np.ascontiguousarray(shallow)


def _stored_bits(image: Image.Image, content: bytes) -> int:
    """Return the bits of a channel by the header of a PNG or TIFF file; others have 8 at most."""
    if image.format == "PNG":
        return content[_PNG_DEPTH]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(max(image.tag_v2.get(_TIFF_DEPTH, (1,))))
    return _BITS


def _eight_bits(pixels: npt.NDArray[np.generic]) -> Picture:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if not np.issubdtype(pixels.dtype, np.integer):
        raise UnreadableImageError(f"pixels of type {pixels.dtype} have no known range")
    return np.clip(np.round(pixels.astype(np.float64) / _DEEP_STEP), 0, 255).astype(np.uint8)


def _over_white(colour: Picture, alpha: Picture) -> Picture:
    share = alpha.astype(np.float64) / 255
    return np.round(colour * share + 255 * (1 - share)).astype(np.uint8)


def _decode_older(content: bytes, key: str) -> Picture:
    try:
        with Image.open(BytesIO(content), formats=_OLDER_FORMATS) as image:
            if image.width * image.height > LIMITS.max_pixels:
                size = f"{image.width} x {image.height}"
                raise UnreadableImageError(f"{key}: {size} pixels are too many")
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("P", "PA", "CMYK", "YCbCr", "LAB"):
                upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            return as_rgb(np.asarray(upright))
    except (UnreadableImageError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(f"{key}: its pixels are too many") from error
    except Exception as error:  # Pillow's plugins raise whatever a broken file leads them to
        raise UnreadableImageError(f"{key}: this is no picture that can be decoded") from error
