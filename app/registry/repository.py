"""The employee registry in SQL: what ``app.services.ports.Registry`` asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.errors import BusyError
from app.registry.erasure import WalErasure
from app.registry.probe import RegistryProbe
from app.registry.session import Clock, SqlRegistrySession


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


class SqlRegistry:
    """The employee registry in a database whose schema is at head. Safe to use from threads."""

    def __init__(
        self, engine: Engine, probe_engine: Engine | None = None, *, clock: Clock = utc_now
    ) -> None:
        """``probe_engine`` is that of ``create_probe_engine``; else probes use ``engine``."""
        self._engine = engine
        self._clock = clock
        self._wal_erasure = WalErasure()
        self._probe = RegistryProbe(probe_engine or engine, clock)

    @contextmanager
    def session(self) -> Iterator[SqlRegistrySession]:
        """Open a transaction for one thread; what was not committed is rolled back.

        Raises ``BusyError``, here or later, where a connection or a lock does not come in time.
        """
        try:
            connection = self._engine.connect()
        except PoolTimeoutError:
            raise BusyError(retry_after_seconds=1) from None
        with connection:
            yield SqlRegistrySession(connection, self._clock, self._wal_erasure)

    def probe(self) -> None:
        """Write a row of this process's own and read it again.

        Raises ``RegistryUnavailableError`` by its kind, and ``BusyError``.
        """
        self._probe.run()

    def close(self) -> None:
        """Close the connections; the last one to leave SQLite folds its log into the file."""
        self._engine.dispose()
        self._probe.close()
