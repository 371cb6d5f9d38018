"""What an audit reads: the photos of active employees with measures and embedding, in pages."""

from __future__ import annotations

from sqlalchemy import Connection, select

from app.domain.audit.gallery import AuditedPhoto, AuditPage
from app.domain.employees import EmployeeStatus
from app.registry.rows import PHOTO_COLUMNS, embedding_from_bytes, photo_from_row
from app.registry.tables import EmployeeRow, PhotoRow


def read_audit_page(
    connection: Connection, model_version: str, after_key: int, limit: int
) -> AuditPage:
    """Return the photos of up to ``limit`` active employees with a larger key, by key."""
    query = (
        select(EmployeeRow.key, EmployeeRow.employee_id)
        .where(EmployeeRow.status == EmployeeStatus.ACTIVE.value, EmployeeRow.key > after_key)
        .order_by(EmployeeRow.key)
        .limit(limit)
    )
    names = {row.key: row.employee_id for row in connection.execute(query)}
    found = (
        select(PhotoRow.employee_key, PhotoRow.embedding, *PHOTO_COLUMNS)
        .where(PhotoRow.employee_key.in_(list(names)), PhotoRow.model_version == model_version)
        .order_by(PhotoRow.employee_key, PhotoRow.key)
    )
    photos = []
    for employee_key, stored, *columns in connection.execute(found):
        photo = photo_from_row(*columns)
        try:
            embedding = embedding_from_bytes(stored)
        except ValueError:
            continue  # the index names it
        photos.append(AuditedPhoto(names[employee_key], photo.photo_id, photo.quality, embedding))
    return AuditPage(tuple(photos), max(names) if len(names) == limit else None)
