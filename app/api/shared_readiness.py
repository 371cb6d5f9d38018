"""One readiness check for everybody who asks at the same time."""

from __future__ import annotations

import asyncio

from anyio import CapacityLimiter, to_thread

from app.services.readiness import Readiness, ReadinessReport


class SharedReadiness:
    """Keeps a queue from forming: each check takes up to 1.5 s where something hangs.

    The check has a thread of its own, so that it does not wait for those that hang.
    """

    def __init__(self) -> None:
        self._thread = CapacityLimiter(1)
        self._running: asyncio.Task[ReadinessReport] | None = None

    async def report(self, readiness: Readiness) -> ReadinessReport:
        """Return the result of the check that runs, or of a new one."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._check(readiness))
        # A caller that hangs up must not end the check for the others.
        return await asyncio.shield(self._running)

    async def _check(self, readiness: Readiness) -> ReadinessReport:
        return await to_thread.run_sync(readiness.check, limiter=self._thread)
