"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Before anything calculates: the networks and tables here are tiny, and threads that wait for each
# other on a busy machine cost ten times what they calculate. Services that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine is no defect: how long one example took says nothing of the code.
settings.register_profile("facegate", deadline=None)
settings.load_profile("facegate")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the run cost, which a busy machine does not change; the budget is 12 minutes."""
    spent = os.times()
    own, started = spent.user + spent.system, spent.children_user + spent.children_system
    terminalreporter.write_line(
        f"CPU time: {(own + started) / 60:.1f} minutes, {started / 60:.1f} of it in processes "
        "that tests started"
    )
