"""Times that can be compared: actions take turns, so that a busy minute slows all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

from pydantic import BaseModel

_WARM_UP = 3


class Cost(BaseModel):
    """Medians of one action, in milliseconds: of the clock, and of this process's CPU time."""

    wall_ms: float
    cpu_ms: float


def take_turns(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Cost]:
    """Return what each action costs, measured in ``rounds`` turns of all of them."""
    wall: dict[str, list[float]] = {name: [] for name in actions}
    cpu: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(_WARM_UP + rounds):
        for name, action in actions.items():
            clock, busy = time.perf_counter(), time.process_time()
            action()
            if turn >= _WARM_UP:
                cpu[name].append(time.process_time() - busy)
                wall[name].append(time.perf_counter() - clock)
    return {
        name: Cost(
            wall_ms=statistics.median(wall[name]) * 1e3, cpu_ms=statistics.median(cpu[name]) * 1e3
        )
        for name in actions
    }
