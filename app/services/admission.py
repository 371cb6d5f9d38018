"""Admits only as much work as the machine can do, and turns the rest away at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import BusyError


class Admission:
    """At most ``capacity`` recognitions run and ``waiting_limit`` wait; further ones are refused.

    A queue without end is slower for everybody: a door that answers after a minute is a closed
    door, and each waiting photo holds memory.
    """

    def __init__(self, capacity: int, waiting_limit: int, timeout_seconds: float) -> None:
        self._running = threading.BoundedSemaphore(capacity)
        self._admitted = threading.BoundedSemaphore(capacity + waiting_limit)
        self._timeout_seconds = timeout_seconds

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Wait for a turn; raises ``BusyError`` where too many wait or it takes too long."""
        if not self._admitted.acquire(blocking=False):
            raise BusyError(retry_after_seconds=1)
        try:
            if not self._running.acquire(timeout=self._timeout_seconds):
                raise BusyError(retry_after_seconds=2)
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()
