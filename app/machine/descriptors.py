"""How many connections the process can hold open beside everything else that it opens."""

from __future__ import annotations

import resource
from pathlib import Path

MAX_CONNECTIONS = 1_000
_TARGET_FILES = 4_096
#: Connections of the database with their files, and photos that wait in temporary files.
_OTHER_FILES = 384
_FEWEST_CONNECTIONS = 16


def connection_limit() -> int:
    """Return how many connections leave room for all other files; raises the soft limit first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _TARGET_FILES if hard == resource.RLIM_INFINITY else min(hard, _TARGET_FILES)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        soft = target
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return connections_within(soft, _open_files())


def connections_within(file_limit: int, open_files: int) -> int:
    """Return how many connections fit: half of what is left at least goes to other files."""
    left = max(0, file_limit - open_files)
    fitting = left - min(_OTHER_FILES, left // 2)
    return max(_FEWEST_CONNECTIONS, min(MAX_CONNECTIONS, fitting))


def _open_files() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 64
