"""Employees and their enrolled photos, as the registry knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.embeddings import Embedding
from app.domain.faces import FaceQuality
from app.domain.spelling import search_key


class EmployeeStatus(StrEnum):
    """Only active employees can be recognised."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Employee:
    """One employee. ``key`` is the registry's own number, ``employee_id`` the company's."""

    key: int
    employee_id: str
    full_name: str
    card_number: str | None
    status: EmployeeStatus
    photo_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class EmployeeFilter:
    """Which employees to list: with this card, and with all of these words in the name.

    ``name_words`` are parts of ``search_key``s.
    """

    card_number: str | None = None
    name_words: tuple[str, ...] = ()

    @staticmethod
    def of(card_number: str | None, name: str | None) -> EmployeeFilter:
        """Return the filter for a card number and for words that somebody typed."""
        if name is None:
            return EmployeeFilter(card_number)
        # Typed accents alone are searched for as they are, and found nowhere.
        return EmployeeFilter(card_number, tuple(search_key(name).split()) or (name,))


EVERYBODY = EmployeeFilter()


@dataclass(frozen=True)
class NewPhoto:
    """What is kept of a photo: no image, only its measures and its embedding."""

    embedding: Embedding
    quality: FaceQuality
    model_version: str


@dataclass(frozen=True)
class EnrolledPhoto:
    """A photo in the registry. ``photo_id`` is a UUID as text."""

    key: int
    photo_id: str
    quality: FaceQuality
    model_version: str
    created_at: datetime


@dataclass(frozen=True)
class StoredPerson:
    """What is stored of one employee's photos of one model version, as far as it can be read.

    ``photos``: the registry's key and the embedding of each photo. ``damaged``: key and reason of
    those whose bytes are no embedding. ``centroid`` is None where none is stored or it is damaged.
    """

    employee_key: int
    centroid: Embedding | None
    photos: tuple[tuple[int, Embedding], ...]
    damaged: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class GalleryEntry:
    """What the index needs of one active employee: a centroid and the photos behind it.

    ``photos`` maps the registry's key of each photo to its embedding; all are of one model version.
    """

    employee_key: int
    centroid: Embedding
    photos: tuple[tuple[int, Embedding], ...]


@dataclass(frozen=True)
class LeftOut:
    """A stored photo that no comparison uses, and why: for the administrator.

    ``photo_id`` is None where the reason is one of all the employee's photos together.
    """

    employee_key: int
    employee_id: str
    photo_id: str | None
    reason: str
