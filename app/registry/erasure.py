"""Keeps erased biometrics out of SQLite's write-ahead log."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from app.registry.database import SQLITE


class WalErasure:
    """Empties the write-ahead log after a commit that deleted something.

    ``secure_delete`` zeroes the row in the database file, but the log keeps earlier copies of the
    page until it is overwritten by chance. Truncating it after an erasure costs one checkpoint.
    PostgreSQL's dead rows and its log are its own ``VACUUM``'s and archive's matter.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # An earlier process may have died between its commit and its truncation.
        self._owed = True

    def after_commit(self, connection: Connection, *, erased: bool) -> None:
        """Truncate the log where this commit, or one before it, erased something.

        A reader of an old snapshot can keep the log in use; then the next commit tries again.
        """
        if connection.dialect.name != SQLITE:
            return
        with self._lock:
            self._owed = self._owed or erased
            if self._owed:
                row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                self._owed = row[0] != 0
