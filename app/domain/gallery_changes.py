"""Which state of the gallery somebody has, and what changed since."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GalleryMark:
    """One committed state of the gallery.

    ``revision`` counts changes. ``token`` was drawn for this one: after a failover that lost a
    change another one may have its number, and never its token.
    """

    revision: int
    token: str


@dataclass(frozen=True)
class GalleryChanges:
    """What leads from one state to ``mark``: the keys of those whose entries are to be read again.

    Who was deleted or suspended is among them.
    """

    mark: GalleryMark
    employee_keys: frozenset[int]
