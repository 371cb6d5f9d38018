"""The one way from a picture to a network's input, the same in training, evaluation and serving."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from app.domain.faces import Picture
from training.data.decoding import as_rgb
from training.data.face_alignment import cut_face, service_detector
from training.data.images import ImageItem, ImageSet, UnreadableImageError
from training.foundation.errors import DataError
from training.recipes.transform_recipe import TransformRecipe


@dataclass(frozen=True)
class LoadedImages:
    """Images in memory: ``images`` uint8 RGB ``(N, 3, S, S)``, ``labels`` int64 ``(N,)``.

    ``labels`` number the ``label_names`` (``NO_LABEL`` where unknown); an identity whose every
    image was unreadable has no number. ``skipped`` lists unreadable images: key and reason.
    """

    images: Tensor
    labels: Tensor
    keys: tuple[str, ...]
    label_names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.keys)


def fit_picture(pixels: npt.NDArray[np.generic], recipe: TransformRecipe) -> Picture:
    """Return a picture as uint8 RGB ``(size, size, 3)``.

    Any picture that ``training.data.decoding.as_rgb`` takes; one that has the size already keeps
    every pixel, unless its face is to be aligned. Raises ``UnreadableImageError`` for what is no
    picture, and where a face is wanted and none can be cut out.
    """
    rgb = as_rgb(pixels)
    height, width = rgb.shape[:2]
    size = recipe.size
    if recipe.fit == "align":
        return cut_face(rgb, size, service_detector())
    if (height, width) == (size, size):
        return rgb
    image = Image.fromarray(rgb)
    if recipe.fit == "pad":
        return _padded(image, size)
    if recipe.fit == "crop":
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    return np.array(image.resize((size, size), Image.Resampling.BILINEAR))


def fit_tensor(pixels: npt.NDArray[np.generic], recipe: TransformRecipe) -> Tensor:
    """Return a picture as uint8 RGB ``(3, size, size)``; see ``fit_picture``."""
    return torch.from_numpy(fit_picture(pixels, recipe).transpose(2, 0, 1).copy())


def load_images(
    image_set: ImageSet,
    transform: TransformRecipe,
    on_unreadable: Literal["skip", "raise"] = "skip",
    *,
    threads: int | None = None,
) -> LoadedImages:
    """Decode and fit every image once, in threads, in the order of the set.

    Raises ``UnreadableImageError`` at the first unreadable image where asked to, ``DataError``
    where none can be read.
    """
    size = transform.size
    images = torch.empty((len(image_set), 3, size, size), dtype=torch.uint8)

    def load(row: int) -> str | None:
        """Load one image into its row; return why it could not be."""
        try:
            images[row] = fit_tensor(image_set.items[row].read(), transform)
        except UnreadableImageError as error:
            return _reason(image_set.items[row], error)
        return None

    with ThreadPoolExecutor(threads) as pool:
        reasons = list(pool.map(load, range(len(image_set))))
    skipped = tuple(
        (item.key, reason)
        for item, reason in zip(image_set.items, reasons, strict=True)
        if reason is not None
    )
    if skipped and on_unreadable == "raise":
        key, reason = skipped[0]
        raise UnreadableImageError(f"{image_set.name}: {key}: {reason}")
    rows = [row for row, reason in enumerate(reasons) if reason is None]
    if not rows:
        first = f"; {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise DataError(f"{image_set.name} has no image that can be read{first}")
    kept = ImageSet(image_set.name, tuple(image_set.items[row] for row in rows))
    return LoadedImages(
        images=images[rows] if skipped else images,
        labels=torch.from_numpy(kept.labels),
        keys=tuple(item.key for item in kept.items),
        label_names=kept.label_names,
        skipped=skipped,
    )


def _reason(item: ImageItem, error: UnreadableImageError) -> str:
    return str(error).removeprefix(f"{item.key}: ")


def _padded(image: Image.Image, size: int) -> Picture:
    scale = size / max(image.size)
    within = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    square = Image.new("RGB", (size, size))
    place = (size - within[0]) // 2, (size - within[1]) // 2
    square.paste(image.resize(within, Image.Resampling.BILINEAR), place)
    return np.array(square)
