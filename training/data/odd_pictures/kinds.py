"""The kinds of odd pictures that are tried, by name: renderings of portraits, things, photos."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from app.domain.faces import Picture
from training.data.odd_pictures import covers, moved, surfaces
from training.data.odd_pictures.portrait import Portrait, Rendering
from training.data.odd_pictures.things import THINGS, Thing
from training.foundation.errors import DataError

SEED = 20261127


@dataclass(frozen=True)
class Kind:
    """One kind of odd picture: of a portrait by ``render``, or by ``draw`` of no person at all.

    With neither it is of photos that are odd as they are. ``as_upright``: such a picture must be
    taken as an upright one is. ``turned``: it may be refused, but what is taken must be the person.
    """

    name: str
    render: Rendering | None = None
    draw: Thing | None = None
    as_upright: bool = False
    turned: bool = False

    def picture_of(self, portrait: Portrait, name: str) -> Picture:
        """Return the odd picture of a portrait that has this ``name``."""
        if self.render is None:
            raise ValueError(f"{self.name} are no renderings of a portrait")
        return self.render(portrait, _random(self.name, name))

    def thing(self, number: int) -> Picture:
        """Return the ``number``-th thing of this kind."""
        if self.draw is None:
            raise ValueError(f"{self.name} is a rendering of a portrait")
        return self.draw(_random(self.name, str(number)))


def _random(*names: str) -> np.random.Generator:
    return np.random.default_rng([SEED, *(zlib.crc32(name.encode()) for name in names)])


_TILTS = {degrees: moved.tilted(degrees) for degrees in (15, 30, 45, 60, 75)}
_RENDERINGS: dict[str, Rendering] = {
    "mirrored upside down": moved.upside_down,
    "half the size": moved.half_size,
    "close-up of the middle": moved.close_up,
    "cut under the nose": moved.cut_below,
    "cut at the eyes": moved.cut_above,
    "half out of the frame": moved.cut_at_the_side,
    "half mirrored": moved.mirrored_half,
    "twice as wide": moved.stretched(2, 1),
    "twice as high": moved.stretched(1, 2),
    "swirled": moved.swirled,
    "rippled": moved.rippled,
    "negative": surfaces.negative,
    "two grey levels": surfaces.two_grey_levels,
    "posterised": surfaces.posterised,
    "darkened": surfaces.darkened,
    "overexposed": surfaces.overexposed,
    "false colours": surfaces.false_colours,
    "thermal": surfaces.thermal,
    "outlined": surfaces.outlined,
    "pencilled": surfaces.pencilled,
    "cartoon": surfaces.cartoon,
    "mosaic of 16 px": surfaces.mosaic(16),
    "mosaic of 10 px": surfaces.mosaic(10),
    "mosaic of 6 px": surfaces.mosaic(6),
    "blurred by 3 px": surfaces.blurred(3),
    "blurred by 5 px": surfaces.blurred(5),
    "motion blur": surfaces.moved_while_exposed,
    "noise": surfaces.noisy,
    "JPEG of quality 3": surfaces.pressed(3),
    "stripes": surfaces.striped,
    "chessboard": surfaces.chequered,
    "on cloth": surfaces.woven,
    "halftone print": surfaces.halftone,
    "screen moire": surfaces.moire,
    "statue": surfaces.statue,
    "mask": covers.masked,
    "sunglasses": covers.in_sunglasses,
    "bar over the eyes": covers.barred,
    "hand": covers.behind_a_hand,
    "hat": covers.under_a_hat,
    "scarf": covers.in_a_scarf,
}

REAL_MASKS = Kind("real masks")
KINDS: tuple[Kind, ...] = (
    *(Kind(f"turned by {90 * n}", moved.turned(n), turned=True) for n in (1, 2, 3)),
    *(
        Kind(f"tilted by {degrees}", render, as_upright=degrees <= 45, turned=True)
        for degrees, render in _TILTS.items()
    ),
    *(Kind(name, render) for name, render in _RENDERINGS.items()),
    REAL_MASKS,
    *(Kind(name, draw=draw) for name, draw in THINGS.items()),
)


def chosen_kinds(names: str | None) -> tuple[Kind, ...]:
    """Return the kinds whose names hold one of these parts, told apart by commas; all for None.

    Raises ``DataError`` where a part is in no name.
    """
    if names is None:
        return KINDS
    parts = [part.strip() for part in names.split(",") if part.strip()]
    unknown = [part for part in parts if not any(part in kind.name for kind in KINDS)]
    if unknown or not parts:
        known = ", ".join(kind.name for kind in KINDS)
        raise DataError(f"no kind of odd picture is called {unknown}; there are: {known}")
    return tuple(kind for kind in KINDS if any(part in kind.name for part in parts))
