"""Between rows and the domain."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

import numpy as np
from sqlalchemy import Row, Select, func, select

from app.domain.embeddings import Embedding, as_embedding
from app.domain.employees import Employee, EmployeeStatus, EnrolledPhoto, NewPhoto
from app.domain.faces import FaceQuality
from app.registry.tables import EmployeeRow, PhotoRow

_STORED_EMBEDDING = np.dtype("<f4")

EmployeeColumns: TypeAlias = Row[int, str, str, str | None, str, int, datetime, datetime]
PhotoValues = dict[str, str | int | float | bytes | datetime]


def is_storable(text: str) -> bool:
    """Tell whether both databases can hold this text: not with NUL, nor with half a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def embedding_to_bytes(embedding: Embedding) -> bytes:
    """Return float32, little-endian."""
    return embedding.astype(_STORED_EMBEDDING).tobytes()


def embedding_from_bytes(stored: bytes) -> Embedding:
    """Return the embedding; raises ``ValueError`` where the bytes are not one."""
    return as_embedding(np.frombuffer(stored, dtype=_STORED_EMBEDDING))


def readable(rows: Iterable[Row[int, bytes]]) -> Iterator[tuple[int, Embedding]]:
    """Yield key and embedding of the rows whose bytes are one."""
    for key, stored in rows:
        try:
            yield key, embedding_from_bytes(stored)
        except ValueError:
            continue


def select_employees() -> Select[int, str, str, str | None, str, int, datetime, datetime]:
    """Return the query behind every ``Employee``; its columns fit ``employee_from_row``."""
    photo_count = (
        select(func.count(PhotoRow.key))
        .where(PhotoRow.employee_key == EmployeeRow.key)
        .scalar_subquery()
    )
    return select(
        EmployeeRow.key,
        EmployeeRow.employee_id,
        EmployeeRow.full_name,
        EmployeeRow.card_number,
        EmployeeRow.status,
        photo_count,
        EmployeeRow.created_at,
        EmployeeRow.updated_at,
    )


def employee_from_row(row: EmployeeColumns) -> Employee:
    """Return the employee of one row."""
    key, employee_id, full_name, card_number, status, photo_count, created_at, updated_at = row
    return Employee(
        key=key,
        employee_id=employee_id,
        full_name=full_name,
        card_number=card_number,
        status=EmployeeStatus(status),
        photo_count=photo_count,
        created_at=created_at,
        updated_at=updated_at,
    )


#: The columns that ``photo_from_row`` takes, the last seven in the order of ``FaceQuality``.
PHOTO_COLUMNS = (
    PhotoRow.key,
    PhotoRow.photo_id,
    PhotoRow.model_version,
    PhotoRow.created_at,
    PhotoRow.size_pixels,
    PhotoRow.sharpness,
    PhotoRow.brightness,
    PhotoRow.yaw_degrees,
    PhotoRow.pitch_degrees,
    PhotoRow.roll_degrees,
    PhotoRow.detector_score,
)


def photo_from_row(
    key: int, photo_id: str, model_version: str, created_at: datetime, *quality: float
) -> EnrolledPhoto:
    """Return the photo of one row."""
    return EnrolledPhoto(
        key=key,
        photo_id=photo_id,
        quality=FaceQuality(*quality),
        model_version=model_version,
        created_at=created_at,
    )


def photo_values(employee_key: int, photo: NewPhoto, created_at: datetime) -> PhotoValues:
    """Return what to insert for a photo, with a fresh ``photo_id``."""
    quality = photo.quality
    return {
        "photo_id": str(uuid.uuid4()),
        "employee_key": employee_key,
        "size_pixels": quality.size_pixels,
        "sharpness": quality.sharpness,
        "brightness": quality.brightness,
        "yaw_degrees": quality.yaw_degrees,
        "pitch_degrees": quality.pitch_degrees,
        "roll_degrees": quality.roll_degrees,
        "detector_score": quality.detector_score,
        "embedding": embedding_to_bytes(photo.embedding),
        "embedding_dim": len(photo.embedding),
        "model_version": photo.model_version,
        "created_at": created_at,
    }
