"""Admits only as much work as the machine can do, and refuses the rest at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import BusyError

MAX_BYTES_IN_FLIGHT = 256_000_000


class Slot:
    """What one request holds of the machine; counts the bytes of its body."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.byte_count = 0

    def hold(self, byte_count: int) -> None:
        """Count ``byte_count`` bytes as held by this request, never fewer than before.

        Raises ``BusyError`` where all requests together would hold too many. One that is alone is
        never refused, however large.
        """
        self._admission.count_bytes(self, byte_count)


class Admission:
    """Slots for requests, and permits for the recognitions in them.

    A request claims a slot before its photos are read: ``capacity`` plus ``waiting_limit`` of
    them, and ``max_bytes`` of photos in all; further ones are refused at once. At most
    ``capacity`` recognitions run at a time. A queue without end is slower for everybody: a door
    that answers after a minute is a closed door, and each waiting photo holds memory.
    """

    def __init__(
        self,
        capacity: int,
        waiting_limit: int,
        timeout_seconds: float,
        max_bytes: int = MAX_BYTES_IN_FLIGHT,
    ) -> None:
        self.slot_count = capacity + waiting_limit
        self._permits = threading.BoundedSemaphore(capacity)
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._slots: set[Slot] = set()
        self._finished = 0

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Claim a slot without waiting; raises ``BusyError`` where all are taken."""
        slot = Slot(self)
        with self._lock:
            if len(self._slots) >= self.slot_count:
                raise BusyError(retry_after_seconds=1)
            self._slots.add(slot)
        try:
            yield slot
        finally:
            with self._lock:
                self._slots.remove(slot)
                self._finished += 1

    @property
    def finished_count(self) -> int:
        """How many requests have given their slot back."""
        return self._finished

    @property
    def is_busy(self) -> bool:
        """Whether a request has a slot."""
        return bool(self._slots)

    def count_bytes(self, slot: Slot, byte_count: int) -> None:
        """Count what ``slot`` holds; raises ``BusyError`` as ``Slot.hold`` does."""
        with self._lock:
            if byte_count <= slot.byte_count:
                return
            others = sum(one.byte_count for one in self._slots if one is not slot)
            if others and others + byte_count > self._max_bytes:
                raise BusyError(retry_after_seconds=1)
            slot.byte_count = byte_count

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Wait for a permit to recognise; raises ``BusyError`` where that takes too long."""
        if not self._permits.acquire(timeout=self._timeout_seconds):
            raise BusyError(retry_after_seconds=2)
        try:
            yield
        finally:
            self._permits.release()
