"""The one large read: everything that the index is built from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from sqlalchemy import BigInteger, CompoundSelect, Connection, Row, literal, select, union_all

from app.domain.embeddings import Embedding
from app.domain.employees import EmployeeStatus, StoredPerson
from app.registry.rows import embedding_from_bytes
from app.registry.tables import CentroidRow, EmployeeRow, PhotoRow

#: Photo keys start at one, so the centroid comes first among an employee's rows.
_CENTROID = 0
_ROWS_PER_FETCH = 2000


def read_gallery(
    connection: Connection,
    model_version: str,
    status: EmployeeStatus,
    employee_keys: Collection[int] | None = None,
) -> Iterator[StoredPerson]:
    """Yield every employee of this status that has photos of this model version, by key.

    With ``employee_keys`` only those of them.
    """
    # Closed also where reading fails: PostgreSQL's cursor would otherwise outlive it.
    with connection.execute(
        _select_gallery(model_version, status, employee_keys),
        execution_options={"yield_per": _ROWS_PER_FETCH},
    ) as rows:
        yield from _people(rows)


def _people(rows: Iterable[Row[int, int, bytes]]) -> Iterator[StoredPerson]:
    for employee_key, group in groupby(rows, key=itemgetter(0)):
        stored_centroid = None
        photos: list[tuple[int, Embedding]] = []
        damaged: list[tuple[int, str]] = []
        for _, photo_key, stored in group:
            try:
                embedding = embedding_from_bytes(stored)
            except ValueError as error:
                if photo_key != _CENTROID:
                    damaged.append((photo_key, str(error)))
                continue
            if photo_key == _CENTROID:
                stored_centroid = embedding
            else:
                photos.append((photo_key, embedding))
        if photos or damaged:
            yield StoredPerson(employee_key, stored_centroid, tuple(photos), tuple(damaged))


def _select_gallery(
    model_version: str, status: EmployeeStatus, employee_keys: Collection[int] | None
) -> CompoundSelect[int, int, bytes]:
    """Return photos and centroids in one statement, for one statement sees one state.

    Two would need a snapshot around them, or could pair new photos with an old centroid; a join
    would send each centroid once a photo.
    """
    has_status = EmployeeRow.status == status.value
    if employee_keys is not None:
        has_status &= EmployeeRow.key.in_(sorted(employee_keys))
    photos = (
        select(
            EmployeeRow.key.label("employee_key"),
            PhotoRow.key.label("photo_key"),
            PhotoRow.embedding,
        )
        .join(PhotoRow, PhotoRow.employee_key == EmployeeRow.key)
        .where(has_status, PhotoRow.model_version == model_version)
    )
    centroids = (
        select(EmployeeRow.key, literal(_CENTROID, BigInteger), CentroidRow.embedding)
        .join(CentroidRow, CentroidRow.employee_key == EmployeeRow.key)
        .where(has_status, CentroidRow.model_version == model_version)
    )
    return union_all(photos, centroids).order_by("employee_key", "photo_key")
