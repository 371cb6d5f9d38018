"""Ctrl-C while a network learns: the step is finished and the run saved before it ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether somebody asked to stop. Asked a second time, the program ends at once."""

    def __init__(self) -> None:
        self.to_stop = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Take a signal; raises ``KeyboardInterrupt`` for the second one."""
        del number, frame
        if self.to_stop:
            raise KeyboardInterrupt
        self.to_stop = True

    def obey_at_once(self) -> None:
        """Take the next signal as the second one."""
        self.to_stop = True


@contextlib.contextmanager
def interruptible() -> Iterator[Interruption]:
    """Note SIGINT and SIGTERM instead of ending where they strike.

    Signals reach the main thread alone: in another one nothing is changed.
    """
    asked = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.signal(number, asked.ask) for number in _SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
