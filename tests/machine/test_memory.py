from __future__ import annotations

import subprocess
import sys

from app.machine.memory import IdleTrim, limit_arenas


def looks(trim: IdleTrim, *states: tuple[int, bool]) -> list[bool]:
    return [trim.is_due(finished, busy) for finished, busy in states]


def test_memory_is_given_back_once_after_the_photos_are_done() -> None:
    trim = IdleTrim()
    assert looks(trim, (0, False), (1, True), (2, False), (2, False), (2, False)) == [
        *(False, False, False, True, False)
    ]


def test_a_service_that_is_never_idle_gives_back_now_and_then() -> None:
    trim = IdleTrim(longest=3)
    assert looks(trim, *((n, True) for n in range(1, 8))) == [
        *(False, False, True, False, False, True, False)
    ]


def test_what_an_administrator_said_of_the_allocator_counts() -> None:
    assert not limit_arenas(2, {"MALLOC_ARENA_MAX": "4"})


def test_threads_share_the_arenas_and_free_memory_goes_back() -> None:
    """In a process of its own: the setting is one of the whole process."""
    code = """
import ctypes, sys, threading
from app.machine.memory import give_back_free_memory, limit_arenas

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024

if not limit_arenas(2, {}):
    sys.exit("no glibc")
before = resident()
gate = threading.Barrier(16)

def work():
    gate.wait()
    kept = [bytearray(1_000_000) for _ in range(8)]
    gate.wait()
    small = [bytes(1000) for _ in range(10)]  # stays, on top of what becomes free
    del kept
    gate.wait()
    results.append(small)

results = []
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
give_back_free_memory()
print(resident() - before)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if "no glibc" in run.stderr:
        return
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 40  # of 128 MiB that were used
