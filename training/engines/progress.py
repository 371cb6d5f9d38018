"""How far a run is: a bar on a terminal, now and then a line in a log."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

#: A log has a line at the first report, then one after so many seconds, and one at the end.
LINE_SECONDS = 15.0


@dataclass(frozen=True)
class RunProgress:
    """Where a run stands: ``done`` is 0 to 1, ``rate`` in steps a second, ``best`` a score."""

    step: int
    done: float
    loss: float
    rate: float
    best: float


class ProgressDisplay(Protocol):
    """Shows how far a run is."""

    def show(self, progress: RunProgress) -> None:
        """Show where the run stands now."""
        ...


class ProgressLines:
    """Writes a line every ``every_seconds`` and at the end, for files and for other programs."""

    def __init__(self, name: str, console: Console, *, every_seconds: float = LINE_SECONDS) -> None:
        self._name, self._console, self._every = name, console, every_seconds
        self._started = time.monotonic()
        self._begun_at: float | None = None
        self._next = 0.0

    def show(self, progress: RunProgress) -> None:
        """Write a line, where the last one is long enough ago."""
        now = time.monotonic()
        if self._begun_at is None:
            self._begun_at = progress.done
        if now < self._next and progress.done < 1.0:
            return
        self._next = now + self._every
        self._console.print(
            f"{self._name}: step {progress.step}, {progress.done:.0%}, "
            f"{progress.rate:.1f} steps/s, loss {progress.loss:.4f}, best {progress.best:.4f}, "
            f"{_left(progress.done - self._begun_at, 1 - progress.done, now - self._started)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


class _ProgressBar:
    """Moves the bar of a terminal."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task = bar, task

    def show(self, progress: RunProgress) -> None:
        """Move the bar."""
        self._bar.update(
            self._task,
            completed=progress.done,
            loss=progress.loss,
            rate=progress.rate,
            best=progress.best,
        )


@contextlib.contextmanager
def progress_display(name: str) -> Iterator[ProgressDisplay]:
    """Show the progress of the run ``name`` while the block lasts, as the output can show it."""
    console = Console()
    if not console.is_terminal:
        yield ProgressLines(name, console)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:5.1f} %  {task.fields[rate]:.1f} steps/s"),
        TextColumn("loss {task.fields[loss]:.4f}  best {task.fields[best]:.4f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        refresh_per_second=1,
        console=console,
    )
    with bar:
        task = bar.add_task(name, total=1.0, loss=math.nan, rate=0.0, best=math.nan)
        yield _ProgressBar(bar, task)


def _left(done: float, rest: float, seconds: float) -> str:
    """Return how long the rest will take at the pace so far, or took where nothing is left."""
    if rest <= 0:
        return f"done in {_clock(seconds)}"
    return f"{_clock(seconds * rest / done)} left" if done > 0 else "just begun"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
