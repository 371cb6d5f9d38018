"""The device to train on, and the threads that torch may use."""

from __future__ import annotations

import os
import sys

import torch

EMBEDDED_AT_ONCE = 16  # crops whose features stay in a CPU's cache


def choose_device(name: str | None = None) -> torch.device:
    """Return the named device, or CUDA where there is one, else the CPU with all its cores.

    ``OMP_NUM_THREADS`` says how many of them, as it does for every other program.
    """
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cpu":
        stated = os.environ.get("OMP_NUM_THREADS", "")
        cores = len(os.sched_getaffinity(0))
        torch.set_num_threads(int(stated) if stated.isdecimal() and int(stated) else cores)
    else:
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return device


#: glibc gives large blocks back to the system after each use unless told not to, and a training
#: step then spends a third of its time on page faults. It must be in the environment at start.
MALLOC_SETTINGS = {
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",  # the pictures themselves may go back
}


def keep_large_blocks() -> None:
    """Start this process again with glibc keeping large blocks, unless it already does."""
    if all(os.environ.get(key) == value for key, value in MALLOC_SETTINGS.items()):
        return
    os.environ.update(MALLOC_SETTINGS)
    # The same interpreter with the same words: nothing of a caller's is interpreted.
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
