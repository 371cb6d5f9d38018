"""Keeps a fault that repeats itself from filling the disk with its own log."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

_KINDS = 256
_VARYING = re.compile(r"0x[0-9a-f]+|\d+")

Kind = tuple[str, int, str, str]


class OnceASecond(logging.Filter):
    """Lets warnings and errors of one kind through once a second, with how many were left out.

    One kind: of the same logger, level, text without its numbers and arguments, and exception.
    """

    def __init__(self, seconds: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[Kind, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written; it then tells how many were not."""
        if record.levelno < logging.WARNING:
            return True
        kind = _kind_of(record)
        now = self._clock()
        with self._lock:
            last, hidden = self._seen.pop(kind, (None, 0))
            if last is not None and now - last < self._seconds:
                self._seen[kind] = (last, hidden + 1)
                return False
            self._seen[kind] = (now, 0)
            if len(self._seen) > _KINDS:
                del self._seen[next(iter(self._seen))]
        if hidden:
            record.msg = f"{record.msg} [and {hidden} more of this kind since]"
        return True


def _kind_of(record: logging.LogRecord) -> Kind:
    first_line = str(record.msg).partition("\n")[0]
    error = record.exc_info[0] if record.exc_info else None
    return (
        record.name,
        record.levelno,
        _VARYING.sub("", first_line),
        "" if error is None else error.__name__,
    )
