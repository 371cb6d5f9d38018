"""The log of the gallery's changes: what other processes follow instead of reading all again."""

from __future__ import annotations

import secrets
from functools import cache

from sqlalchemy import Connection, Select, delete, insert, select, update

from app.domain.gallery_changes import GalleryChanges, GalleryMark
from app.registry.tables import GalleryChangeRow, GalleryStateRow

#: So many changes are kept; who is further behind reads everything again.
KEPT_CHANGES = 10_000


def write_change(connection: Connection, employee_key: int | None, kept: int = KEPT_CHANGES) -> int:
    """Count one change and log whose it was, None for everybody's; return the new revision.

    The log keeps the last ``kept`` changes.
    """
    token = secrets.token_hex(16)
    revision = connection.execute(
        update(GalleryStateRow)
        .values(revision=GalleryStateRow.revision + 1, token=token)
        .returning(GalleryStateRow.revision)
    ).scalar_one()
    # What stands in the log beyond the counter is of a history that somebody took back.
    connection.execute(
        delete(GalleryChangeRow).where(
            (GalleryChangeRow.revision <= revision - kept) | (GalleryChangeRow.revision >= revision)
        )
    )
    connection.execute(
        insert(GalleryChangeRow).values(revision=revision, token=token, employee_key=employee_key)
    )
    return revision


def read_mark(connection: Connection) -> GalleryMark:
    """Return which state of the gallery is committed, or made by this transaction."""
    revision, token = connection.execute(_state()).one()
    return GalleryMark(revision, token)


def read_changes(connection: Connection, mark: GalleryMark) -> GalleryChanges | None:
    """Return whose entries changed since ``mark``.

    None where the log does not tell: it begins later, has a gap (a version of the service that did
    not write it), is of another history, or names a change of everybody.
    """
    rows = connection.execute(
        select(GalleryChangeRow.revision, GalleryChangeRow.token, GalleryChangeRow.employee_key)
        .where(GalleryChangeRow.revision >= mark.revision)
        .order_by(GalleryChangeRow.revision)
    ).all()
    if not rows or (rows[0][0], rows[0][1]) != (mark.revision, mark.token):
        return None
    keys = [key for _, _, key in rows[1:]]
    if rows[-1][0] != mark.revision + len(keys) or None in keys:
        return None
    last = GalleryMark(rows[-1][0], rows[-1][1])
    return GalleryChanges(last, frozenset(key for key in keys if key is not None))


@cache
def _state() -> Select[int, str]:
    """Return the statement, made once: making it costs a door more than running it."""
    return select(GalleryStateRow.revision, GalleryStateRow.token)
