"""Keeps the C library from holding on to memory that no photo needs any more.

glibc gives each thread that allocates an arena of its own, eight for every CPU, and each keeps the
largest photo that its thread ever decoded. A few arenas suffice for as many recognitions as there
are CPUs. What they keep free is given back when nobody waits, and not with every block: a page that
comes again has to be cleared, which costs a photo about 10 ms.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping

_M_ARENA_MAX = -8
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
#: The most that glibc takes. Blocks up to here stay in their arena when they are freed.
_LARGEST_BLOCK_IN_AN_ARENA = 32 * 1024 * 1024
_KEPT_AT_THE_TOP = 64 * 1024 * 1024
#: What an administrator may have said; it counts.
_SAID = ("MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def limit_arenas(count: int, environment: Mapping[str, str]) -> bool:
    """Let all threads share ``count`` arenas; say whether the C library took it.

    To be called before threads allocate. Nothing happens where the environment says otherwise, or
    under another C library than glibc.
    """
    if any(name in environment for name in _SAID):
        return False
    mallopt = _function("mallopt")
    if mallopt is None:
        return False
    wanted = (
        (_M_ARENA_MAX, count),
        (_M_MMAP_THRESHOLD, _LARGEST_BLOCK_IN_AN_ARENA),
        (_M_TRIM_THRESHOLD, _KEPT_AT_THE_TOP),
    )
    taken = [mallopt(name, value) == 1 for name, value in wanted]
    return all(taken)


def give_back_free_memory() -> bool:
    """Give the system what the C library keeps free; say whether there was any."""
    trim = _function("malloc_trim")
    return trim is not None and trim(0) == 1


class IdleTrim:
    """Decides when free memory is given back: when nobody waits, and now and then where always."""

    def __init__(self, longest: int = 30) -> None:
        """``longest``: after so many looks a busy service gives back as well."""
        self._longest = longest
        self._looks = 0
        self._counted = 0
        self._at_last_look = 0

    def is_due(self, finished: int, busy: bool) -> bool:
        """Return whether to give back now, at one of the looks that come in equal intervals.

        ``finished``: how many requests with photos there have been so far.
        """
        resting = not busy and finished == self._at_last_look
        self._at_last_look = finished
        self._looks += 1
        if finished == self._counted or not (resting or self._looks >= self._longest):
            return False
        self._counted, self._looks = finished, 0
        return True


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library; None where it has no such one."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
