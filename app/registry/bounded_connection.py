"""A PostgreSQL connection that does not wait for ever."""

from __future__ import annotations

import time
from typing import TypeVar

import psycopg
from psycopg.abc import PQGen

RV = TypeVar("RV")
_POLL_SECONDS = 0.1


class BoundedConnection(psycopg.Connection[tuple[object, ...]]):
    """Ends the wait for an answer after ``answer_seconds``, and with it the connection.

    Timeouts of statements are the server's, and those of TCP the other host's kernel's: where the
    server is frozen and its kernel is not, neither comes.
    """

    answer_seconds = 12.0

    def wait(
        self, gen: PQGen[RV], interval: float = _POLL_SECONDS, timeout: float | None = None
    ) -> RV:
        """Consume ``gen``; raises ``psycopg.OperationalError`` where it takes too long."""
        seconds = self.answer_seconds if timeout is None else min(timeout, self.answer_seconds)
        return super().wait(self._bounded(gen, time.monotonic() + seconds), interval)

    def _bounded(self, gen: PQGen[RV], deadline: float) -> PQGen[RV]:
        """Run ``gen``, looking at the clock whenever nothing was ready for an interval."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    self.pgconn.finish()  # what comes later would answer another question
                    raise psycopg.OperationalError("the server did not answer in time")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result
