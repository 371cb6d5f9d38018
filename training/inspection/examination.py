"""Looks at every image of a set once and reports; nothing that is wrong with one is fatal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

import numpy as np

from training.data.decoding import stored_form
from training.data.images import ImageItem, ImageSet, UnreadableImageError
from training.inspection.findings import (
    ImagesPerIdentity,
    InspectionReport,
    NearDuplicate,
    PictureSize,
    UnreadableImage,
)
from training.inspection.fingerprints import Fingerprint, Hashes, fingerprint, near_pairs

#: Pairs within both are listed. Of 401 face crops all are found again when saved as JPEG of quality
#: 40, at half the size or brighter, 400 when cut by one pixel on each side, half when cut by two;
#: of 312 million pairs of different FairFace people, many crops mostly black, two are listed.
MAX_BITS = 6
MIN_CORRELATION = 0.99
#: So many near-duplicates are kept, the closest first; all are counted.
KEPT_NEAR_DUPLICATES = 1000


@dataclass(frozen=True)
class _Look:
    """What one look at a readable image says."""

    item: ImageItem
    width: int
    height: int
    grey: bool
    stored: str | None
    fingerprint: Fingerprint


def inspect_images(
    image_set: ImageSet,
    *,
    max_bits: int = MAX_BITS,
    min_correlation: float = MIN_CORRELATION,
    unpaired: tuple[str, ...] = (),
) -> InspectionReport:
    """Return what can be said of a set of images; each is decoded once, in threads.

    ``max_bits`` and ``min_correlation`` bound what is nearly the same (see ``near_pairs``).
    ``unpaired`` names pictures that the reader left out for want of a partner.
    """
    with ThreadPoolExecutor() as pool:
        seen = list(pool.map(_look_at, image_set.items))
    looks = [look for look in seen if isinstance(look, _Look)]
    copies, own_copies = _copies(looks)
    near_duplicates = _near_duplicates(looks, max_bits, min_correlation)
    per_identity = Counter(look.item.label for look in looks if look.item.label is not None)
    splits = Counter(look.item.split for look in looks if look.item.split is not None)
    sizes = Counter((look.width, look.height) for look in looks)
    channels = Counter("grey" if look.grey else "colour" for look in looks)
    stored = Counter(look.stored for look in looks if look.stored is not None)
    return InspectionReport(
        name=image_set.name,
        images=len(seen),
        readable=len(looks),
        identities=len(per_identity),
        without_identity=sum(look.item.label is None for look in looks),
        splits=tuple(sorted(splits.items())),
        per_identity=_spread(per_identity),
        stored=tuple(sorted(stored.items())),
        channels=tuple(sorted(channels.items())),
        sizes=tuple(PictureSize(*size, count) for size, count in sizes.most_common()),
        unreadable=tuple(look for look in seen if isinstance(look, UnreadableImage)),
        unpaired=unpaired,
        single_image_identities=tuple(
            sorted(label for label, count in per_identity.items() if count == 1)
        ),
        copies=copies,
        own_copies=own_copies,
        near_duplicates=tuple(near_duplicates[:KEPT_NEAR_DUPLICATES]),
        near_duplicate_count=len(near_duplicates),
    )


def _look_at(item: ImageItem) -> _Look | UnreadableImage:
    try:
        picture = item.read()
        stored = None if item.content is None else stored_form(item.content())
    except (UnreadableImageError, OSError) as error:
        return UnreadableImage(item.key, str(error).removeprefix(f"{item.key}: "))
    height, width = picture.shape[:2]
    grey = bool((picture == picture[:, :, :1]).all())
    return _Look(item, width, height, grey, stored, fingerprint(picture))


def _spread(per_identity: Counter[str]) -> ImagesPerIdentity | None:
    counts = sorted(per_identity.values())
    if not counts:
        return None
    histogram = tuple(sorted(Counter(counts).items()))
    return ImagesPerIdentity(counts[0], float(median(counts)), counts[-1], histogram)


def _copies(
    looks: Sequence[_Look],
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """Return groups of keys with the same pixels: across identities or splits, and within one."""
    groups: dict[str, list[ImageItem]] = defaultdict(list)
    for look in looks:
        groups[look.fingerprint.digest].append(look.item)
    across: list[tuple[str, ...]] = []
    within: list[tuple[str, ...]] = []
    for group in groups.values():
        if len(group) > 1:
            foreign = _of_others(group) or len({item.split for item in group}) > 1
            (across if foreign else within).append(tuple(item.key for item in group))
    return tuple(across), tuple(within)


def _of_others(items: Sequence[ImageItem]) -> bool:
    """Say whether items show more than one identity; an unlabelled one may show anybody."""
    return any(item.label is None or item.label != items[0].label for item in items)


def _near_duplicates(
    looks: Sequence[_Look], max_bits: int, min_correlation: float
) -> list[NearDuplicate]:
    """Return pairs across identities, closest first; of images with the same pixels one counts."""
    unique = list({look.fingerprint.digest: look for look in reversed(looks)}.values())[::-1]
    hashes: Hashes = np.array([look.fingerprint.gradients for look in unique], np.uint64)
    miniatures = np.array([look.fingerprint.miniature for look in unique], np.uint8)
    pairs = near_pairs(hashes, miniatures, max_bits=max_bits, min_correlation=min_correlation)
    found = []
    for (first, second), bits, alike in zip(pairs.rows, pairs.bits, pairs.correlation, strict=True):
        one, two = unique[first].item, unique[second].item
        if _of_others([one, two]):
            found.append(NearDuplicate(one.key, two.key, int(bits), round(float(alike), 4)))
    return sorted(found, key=lambda pair: (-pair.correlation, pair.bits, pair.first, pair.second))
