"""What an inspection found, as facts, sentences, a table for people and JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import starmap

from rich.table import Table

#: So many examples of a kind the table shows; JSON holds all that were kept.
EXAMPLES = 10


@dataclass(frozen=True)
class UnreadableImage:
    """An image that could not be decoded, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class NearDuplicate:
    """Two images that look alike: bits by which hashes differ, correlation of miniatures."""

    first: str
    second: str
    bits: int
    correlation: float


@dataclass(frozen=True)
class PictureSize:
    """How many images have a width and height in pixels."""

    width: int
    height: int
    images: int


@dataclass(frozen=True)
class ImagesPerIdentity:
    """The spread of images over identities; ``histogram``: number of images, identities with it."""

    least: int
    median: float
    most: int
    histogram: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class InspectionReport:
    """Everything that one look at all images says.

    Counts are of readable images unless they say otherwise. ``channels`` counts images that are
    "grey" (three equal channels) and "colour" when decoded; ``stored`` how their own files store
    them, where they have any (see ``stored_form``). ``unpaired`` are pictures that belong to no
    pair. ``copies`` lists groups of keys with the same pixels across identities or splits,
    ``own_copies`` those within one identity and split; ``near_duplicates`` the closest pairs across
    identities, of ``near_duplicate_count``. An unknown
    identity counts as another one.
    """

    name: str
    images: int
    readable: int
    identities: int
    without_identity: int
    splits: tuple[tuple[str, int], ...]
    per_identity: ImagesPerIdentity | None
    stored: tuple[tuple[str, int], ...]
    channels: tuple[tuple[str, int], ...]
    sizes: tuple[PictureSize, ...]
    unreadable: tuple[UnreadableImage, ...]
    unpaired: tuple[str, ...]
    single_image_identities: tuple[str, ...]
    copies: tuple[tuple[str, ...], ...]
    own_copies: tuple[tuple[str, ...], ...]
    near_duplicates: tuple[NearDuplicate, ...]
    near_duplicate_count: int

    @property
    def findings(self) -> tuple[str, ...]:
        """What somebody should look at before training, a sentence each."""
        sentences = (
            (len(self.unreadable), "images cannot be read and are skipped"),
            (len(self.unpaired), "pictures have no partner of the same stem and are left out"),
            (len(self.single_image_identities), "identities have one image, so no pair"),
            (len(self.copies), "images are there again under another identity or in another split"),
            (
                sum(len(group) - 1 for group in self.own_copies),
                "images are there again within their identity: a pair of copies teaches nothing",
            ),
            (self.near_duplicate_count, "pairs across identities look nearly the same"),
        )
        return tuple(f"{count} {what}" for count, what in sentences if count)

    def to_json(self) -> str:
        """Return all facts and the findings as JSON."""
        return json.dumps(asdict(self) | {"findings": self.findings}, indent=2, ensure_ascii=False)

    def table(self) -> Table:
        """Return the facts as a table for a terminal."""
        table = Table("what", "value", title=self.name)
        rows = [
            ("images", f"{self.images}, {self.readable} of them readable"),
            ("identities", str(self.identities)),
            ("without identity", str(self.without_identity)),
            ("splits", _counts(self.splits)),
            ("images per identity", _spread(self.per_identity)),
            ("identities by images", _histogram(self.per_identity)),
            ("stored as", _counts(self.stored)),
            ("channels", _counts(self.channels)),
            ("sizes", _sizes(self.sizes)),
            ("unreadable", _listed([f"{bad.key}: {bad.reason}" for bad in self.unreadable])),
            ("without a partner", _listed(list(self.unpaired))),
            ("identities with one image", _listed(list(self.single_image_identities))),
            ("the same pixels", _listed([" = ".join(group[:4]) for group in self.copies])),
            (
                "the same pixels within an identity",
                _listed([" = ".join(group[:4]) for group in self.own_copies]),
            ),
            ("nearly the same", _listed(self._near_lines(), self.near_duplicate_count)),
        ]
        for name, value in rows:
            table.add_row(name, _plain(value))
        return table

    def _near_lines(self) -> list[str]:
        return [
            f"{pair.first} ~ {pair.second} ({pair.bits} bits, correlation {pair.correlation:.3f})"
            for pair in self.near_duplicates
        ]


def _plain(text: str) -> str:
    """Return text in which rich sees no markup: keys may hold square brackets."""
    return text.replace("[", "\\[")


def _counts(counts: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(starmap("{}: {}".format, counts)) or "-"


def _spread(spread: ImagesPerIdentity | None) -> str:
    if spread is None:
        return "-"
    return f"{spread.least} to {spread.most}, median {spread.median:g}"


def _histogram(spread: ImagesPerIdentity | None) -> str:
    """Return identities by number of images, many numbers gathered into ranges that double."""
    if spread is None:
        return "-"
    ranges: dict[tuple[int, int], int] = {}
    for images, identities in spread.histogram:
        low = 1 << (images.bit_length() - 1)
        place = (low, 2 * low - 1)
        ranges[place] = ranges.get(place, 0) + identities
    lines = [
        f"{low if low == high else f'{low}-{high}'} images: {identities}"
        for (low, high), identities in ranges.items()
    ]
    return "\n".join(lines)


def _sizes(sizes: tuple[PictureSize, ...]) -> str:
    if not sizes:
        return "-"
    lines = [f"{size.width} x {size.height}: {size.images}" for size in sizes]
    return _listed(lines)


def _listed(lines: list[str], count: int | None = None) -> str:
    total = len(lines) if count is None else count
    if not total:
        return "-"
    shown = lines[:EXAMPLES]
    more = [f"and {total - len(shown)} more"] if total > len(shown) else []
    return "\n".join([*shown, *more])
