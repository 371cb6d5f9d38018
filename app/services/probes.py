"""A check that may hang, run so that nobody who asks hangs with it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import FacegateError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """What a check found: ``fault`` is empty where all is well, ``notes`` are worth knowing."""

    fault: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComponentReport:
    """What is said of one component."""

    name: str
    ok: bool
    detail: str
    notes: tuple[str, ...] = ()


class Probe:
    """Runs ``check`` on a thread of its own, one at a time, however many ask and however it hangs.

    A result serves everyone for ``fresh_seconds``. While a check runs, the last result counts for
    another ``patience_seconds``, where slow is no fault; then it is said to hang.
    """

    def __init__(
        self,
        name: str,
        check: Callable[[], Finding],
        fresh_seconds: float,
        patience_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._check = check
        self._fresh_seconds = fresh_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._finding: Finding | None = None
        self._finished_at = 0.0
        self._begun_at: float | None = None

    def passed(self) -> None:
        """Note that what is checked has just worked."""
        with self._changed:
            self._finding, self._finished_at = Finding(), self._clock()

    def begin(self) -> None:
        """Start the check, unless it runs already or its last result is still fresh."""
        with self._changed:
            if self._begun_at is not None or self._is_fresh():
                return
            self._begun_at = self._clock()
            # A daemon: a check that hangs must not keep the process from ending.
            thread = threading.Thread(target=self._run, name=f"probe {self.name}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                logger.exception("the check of %s could not start", self.name)
                self._finding = Finding("the check could not start: no thread is to be had")
                self._finished_at, self._begun_at = -math.inf, None  # the next caller tries again

    def report(self, wait_seconds: float) -> ComponentReport:
        """Return the result of what ``begin`` started, waiting no longer than so."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._begun_at is None, wait_seconds)
            finding = self._finding
            if not done:
                running = self._clock() - (self._begun_at or self._clock())
                if finding is None or running > self._patience_seconds:
                    finding = Finding(f"no answer for {max(running, wait_seconds):.0f} s")
        found = finding or Finding("not tried yet")
        return ComponentReport(self.name, not found.fault, found.fault, found.notes)

    def _is_fresh(self) -> bool:
        age = self._clock() - self._finished_at
        return self._finding is not None and age <= self._fresh_seconds

    def _run(self) -> None:
        try:
            finding = self._check()
        except FacegateError as error:
            finding = Finding(str(error))
        except OSError as error:  # without the path: any caller may ask
            finding = Finding(error.strerror or str(error))
        except Exception:
            logger.exception("the check of %s failed", self.name)
            finding = Finding("the check failed: see the service's log")
        with self._changed:
            self._finding, self._finished_at = finding, self._clock()
            self._begun_at = None
            self._changed.notify_all()
