"""HTTP connections that can be neither too many nor too slow.

uvicorn has no limit for connections without a request yet, none for how long a request's
head may take, and none for a body that nobody reads any more. Callers who send half a request each
so took every file descriptor of the process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConnectionLimits:
    """How many connections there may be, and how many seconds each may take for what.

    ``head``: from the first moment to the end of a request's head. ``rest``: for the rest of a body
    that was answered before it was read. ``answer``: for taking the next part of an answer.
    """

    connections: int
    head_seconds: float = 10.0
    rest_seconds: float = 2.0
    answer_seconds: float = 30.0


class BoundedProtocol(H11Protocol):
    """One connection. How slow a body may come that is being read, the middleware says."""

    limits = ConnectionLimits(connections=500)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, in the place of the longest idle one where there are too many."""
        super().connection_made(transport)
        # Whatever waits to be taken is watched, also after close(), which waits for it.
        transport.set_write_buffer_limits(high=0)
        self._head = _Deadline(self.loop, self.limits.head_seconds, self._head_is_late)
        self._rest = _Deadline(self.loop, self.limits.rest_seconds, self._rest_is_late)
        self._answer = _Deadline(self.loop, self.limits.answer_seconds, self._answer_is_late)
        self.idle_since = self.loop.time()
        if len(self.connections) > self.limits.connections:
            self._make_room()
        if not transport.is_closing():
            self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has begun must end in time."""
        super().data_received(data)
        self._watch_head()
        self._watch_rest()

    def on_response_complete(self) -> None:
        """Wait for the next request, though not for ever for the rest of this one."""
        self.idle_since = self.loop.time()
        super().on_response_complete()
        self._watch_rest()

    def pause_writing(self) -> None:
        """Watch a caller who does not take the answer."""
        super().pause_writing()
        self._answer.start()

    def resume_writing(self) -> None:
        """Go on: the caller took something."""
        super().resume_writing()
        self._answer.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        for deadline in (self._head, self._rest, self._answer):
            deadline.stop()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End the connection, or let its request end first."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:  # in the middle of an answer that says to close
            self.transport.close()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _make_room(self) -> None:
        """End the connection that has been idle longest; this one where none is.

        An honest caller sends its request at once, so that it is the slow ones who give way.
        """
        idle = [
            one
            for one in self.connections
            if isinstance(one, BoundedProtocol) and one is not self and one.is_idle
        ]
        if idle:
            min(idle, key=lambda one: one.idle_since)._end("too many connections")
        else:
            self.transport.write(_BUSY)
            self.transport.close()
            logger.warning("a connection was refused: all %d are at work", len(self.connections))

    def _watch_head(self) -> None:
        if self.is_idle and self.conn.their_state is h11.IDLE:
            self._head.start()
        else:
            self._head.stop()

    def _watch_rest(self) -> None:
        """After an answer, wait a little for the body that it did not need."""
        if self.is_idle and self.conn.their_state is h11.SEND_BODY:
            self._rest.start()
        else:
            self._rest.stop()

    def _head_is_late(self) -> None:
        self._end("a request's head did not come in time", _TOO_SLOW)

    def _rest_is_late(self) -> None:
        self._end("the rest of a body did not come in time")

    def _answer_is_late(self) -> None:
        self._end("an answer was not taken in time")

    def _end(self, reason: str, answer: bytes = b"") -> None:
        logger.warning("a connection was ended: %s", reason)
        if self.transport.get_write_buffer_size() > 0:
            self.transport.abort()  # close() would wait until the rest is taken
        else:
            if answer and not self.transport.is_closing():
                self.transport.write(answer)
            self.transport.close()
        # Now and not when the loop comes to it: the next connection is counted before.
        self.connections.discard(self)


class _Deadline:
    """Calls back when what was started is not stopped in time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, late: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to count, unless it counts already."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._late)

    def stop(self) -> None:
        """Count no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded_protocol(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """Return the protocol with these limits, as uvicorn takes it."""
    return type("LimitedProtocol", (BoundedProtocol,), {"limits": limits})


def _problem(status: str, code: str, title: str, more: str = "") -> bytes:
    body = (
        f'{{"type":"urn:facegate:problem:{code}","title":"{title}","status":{status[:3]},'
        f'"code":"{code}","detail":"{title.lower()}","request_id":""}}'
    )
    return (
        f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n"
        f"{more}content-length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


_BUSY = _problem("503 Service Unavailable", "busy", "The service is busy", "retry-after: 1\r\n")
_TOO_SLOW = _problem("408 Request Timeout", "request_too_slow", "The request came too slowly")
