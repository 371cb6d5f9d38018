"""Memory goes on being given back, whatever went wrong once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app.bootstrap import give_back_memory
from app.services.admission import Admission


def test_memory_is_given_back_again_after_it_failed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[str] = []
    done = threading.Event()

    def give_back() -> None:
        calls.append("called")
        if len(calls) == 1:
            raise RuntimeError("can't start new thread")
        done.set()

    admission = Admission(1, 0, 1.0)

    async def work_until_given_back() -> None:
        task = asyncio.create_task(give_back_memory(admission, give_back, 0.005))
        for _ in range(200):
            with admission.slot():
                pass
            await asyncio.sleep(0.05)
            if done.is_set() or task.done():
                break
        task.cancel()

    asyncio.run(work_until_given_back())
    assert done.is_set()
    assert "memory was not given back" in caplog.text
