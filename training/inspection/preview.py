"""Draws what training would see of a set: random pairs, triplets and augmented images."""

from __future__ import annotations

from itertools import islice

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from app.domain.faces import Picture
from app.vision.detector import FaceDetector
from training.augment.generic import augment_generic
from training.augment.pipeline import augment
from training.augment.randomness import Randomness
from training.data.blurring import blurred_set
from training.data.crops import CROP_MARGIN, CROP_SIZE
from training.data.drawing import PairDrawer, TripletDrawer
from training.data.images import ImageSet, UnreadableImageError
from training.data.transform import fit_picture
from training.foundation.errors import DataError
from training.inspection.sheet import TILES_IN_A_ROW, Group, Strip, draw_sheet, unreadable_tile
from training.recipes.augment_recipe import NO_CHANGE, GenericAugmentRecipe
from training.recipes.recipe import AugmentRecipe
from training.recipes.transform_recipe import TransformRecipe

_PAIRS = 24
_TRIPLETS = 8
_AUGMENTED = 3


def preview_images(
    image_set: ImageSet,
    *,
    transform: TransformRecipe,
    changes: GenericAugmentRecipe | AugmentRecipe = NO_CHANGE,
    seed: int = 0,
    blur_with: FaceDetector | None = None,
) -> Image.Image:
    """Return one RGB picture of random pairs, triplets and augmented images of a set.

    Pictures are shown as ``transform`` makes them, and changed as ``changes`` says: those of
    ``learn`` for any image, those of ``distill`` for crops of 128 px. With ``blur_with`` faces are
    blurred (see ``blur_faces``), and numbers stand for the names of identities. Where no pairs can
    be drawn single images are shown and the reason. Raises ``DataError`` for a set without images,
    and where faces are to be blurred and aligned: nothing is left to align them by.
    """
    if not len(image_set):
        raise DataError(f"{image_set.name} holds no image")
    if blur_with is not None and transform.fit == "align":
        raise DataError("a blurred face cannot be aligned; choose another fit")
    shown = image_set if blur_with is None else blurred_set(image_set, blur_with)
    page = _Page(shown, transform, hide_names=blur_with is not None)
    labels = torch.from_numpy(image_set.labels)
    try:
        strips = [*_pair_strips(page, labels, seed), _triplet_strip(page, labels, seed)]
    except DataError as error:
        strips = [_single_strip(page, str(error), seed)]
    strips.append(_augmented_strip(page, changes, seed))
    return draw_sheet(strips)


class _Page:
    """Reads the images of a set as tiles, and names their identities."""

    def __init__(self, image_set: ImageSet, transform: TransformRecipe, hide_names: bool) -> None:
        self.items = image_set.items
        self.transform = transform
        self._hide_names = hide_names
        self._numbers: dict[str, int] = {}

    def fitted(self, row: int) -> Picture | None:
        """Return an image as training would see it, None where it would be skipped."""
        try:
            return fit_picture(self.items[row].read(), self.transform)
        except UnreadableImageError:
            return None

    def tile(self, row: int) -> Picture:
        """Return an image as training would see it, or a crossed square."""
        fitted = self.fitted(row)
        return unreadable_tile() if fitted is None else fitted

    def name(self, row: int) -> str:
        """Return the identity's name, or a number where names are hidden."""
        label = self.items[row].label
        if label is None:
            return "unknown"
        if not self._hide_names:
            return label
        return f"no. {self._numbers.setdefault(label, len(self._numbers) + 1)}"

    def group(self, rows: list[int], caption: str) -> Group:
        """Return images side by side."""
        return Group(tuple(self.tile(row) for row in rows), caption)


def _pair_strips(page: _Page, labels: Tensor, seed: int) -> list[Strip]:
    pairs = PairDrawer(labels, seed).draw(_PAIRS)
    same: list[Group] = []
    different: list[Group] = []
    for first, second, alike in zip(
        pairs.first.tolist(), pairs.second.tolist(), pairs.labels.same.tolist(), strict=True
    ):
        if alike:
            same.append(page.group([first, second], page.name(first)))
        else:
            caption = f"{page.name(first)} | {page.name(second)}"
            different.append(page.group([first, second], caption))
    return [
        Strip("Pairs of one identity (same = 1)", tuple(same)),
        Strip("Pairs of two identities (same = 0)", tuple(different)),
    ]


def _triplet_strip(page: _Page, labels: Tensor, seed: int) -> Strip:
    triplets = TripletDrawer(labels, seed).draw(_TRIPLETS)
    rows = torch.stack([triplets.anchor, triplets.positive, triplets.negative], dim=1).tolist()
    groups = [page.group(row, f"{page.name(row[0])}, not {page.name(row[2])}") for row in rows]
    return Strip("Triplets: anchor, positive, negative", tuple(groups))


def _single_strip(page: _Page, reason: str, seed: int) -> Strip:
    rows = _random_rows(len(page.items), seed)[: 2 * TILES_IN_A_ROW]
    groups = tuple(page.group([row], page.name(row)) for row in rows)
    return Strip(f"Images (no pairs: {reason})", groups)


def _augmented_strip(
    page: _Page, changes: GenericAugmentRecipe | AugmentRecipe, seed: int
) -> Strip:
    """Return a few images, each followed by what augmentation makes of it."""
    fitted = ((row, page.fitted(row)) for row in _random_rows(len(page.items), seed))
    chosen = list(islice(((r, p) for r, p in fitted if p is not None), _AUGMENTED))
    if not chosen:
        return Strip("Augmented: no image can be read", ())
    copies = TILES_IN_A_ROW - 1
    images = torch.from_numpy(np.stack([picture for _, picture in chosen])).permute(0, 3, 1, 2)
    repeated = images.repeat_interleave(copies, dim=0)
    random = Randomness(seed, torch.device("cpu"))
    if isinstance(changes, AugmentRecipe):
        # Crops of training hold zeros only outside of the photograph; here nothing is known of it.
        size = CROP_SIZE - 2 * CROP_MARGIN
        changed = augment(repeated.clamp(min=1), size, changes, random)
    else:
        changed = augment_generic(repeated, changes, random)
    tiles = changed.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    groups = tuple(
        Group((picture, *tiles[place * copies : (place + 1) * copies]), page.name(row))
        for place, (row, picture) in enumerate(chosen)
    )
    return Strip(f"Augmented, the original first ({said_of(changes)})", groups)


def said_of(changes: GenericAugmentRecipe | AugmentRecipe) -> str:
    """Return what an augmentation does, by the names and numbers of its recipe."""
    doing = [f"{name} {value:g}" for name, value in changes.model_dump().items() if value]
    return ", ".join(doing) or "this recipe changes nothing"


def _random_rows(count: int, seed: int) -> list[int]:
    rows: list[int] = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return rows
