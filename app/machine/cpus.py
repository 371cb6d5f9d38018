"""How many CPUs this process may use: by its affinity and by the quota of its control group."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def usable_cpus(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Return how many CPUs this process may use, at least 1.

    A container that may use one and a half of 64 CPUs sees all of them: its quota stands in its
    control group. A thread more than the quota allows slows all of them down.
    """
    available = len(os.sched_getaffinity(0))
    quota = cpu_quota(cgroups, own)
    return max(1, available if quota is None else min(available, int(quota)))


def cpu_quota(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> float | None:
    """Return the CPUs that the control groups above this process allow, v1 or v2; None: all."""
    limits = []
    for folder, is_v2 in _groups(cgroups, own):
        # A limit may be set on any group above; within a container the path is often not there.
        for group in (folder, *folder.parents):
            if not group.is_relative_to(cgroups):
                break
            limit = _limit_v2(group) if is_v2 else _limit_v1(group)
            if limit is not None:
                limits.append(limit)
    return min(limits, default=None)


def _groups(cgroups: Path, own: Path) -> list[tuple[Path, bool]]:
    """Return the folders of this process's groups that limit CPUs, and whether they are v2's."""
    found = []
    for line in _read(own).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        below = PurePosixPath(path.lstrip("/"))
        if ".." in below.parts:  # a group outside of this container's view
            below = PurePosixPath()
        if not controllers:
            found.append((cgroups / below, True))
        elif "cpu" in controllers.split(","):
            found.append((cgroups / controllers / below, False))
            found.append((cgroups / "cpu" / below, False))
    return found


def _limit_v2(group: Path) -> float | None:
    quota, _, period = _read(group / "cpu.max").strip().partition(" ")
    return _ratio(quota, period or "100000")


def _limit_v1(group: Path) -> float | None:
    return _ratio(_read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> float | None:
    """Return the quotient; None for ``max``, -1 and anything that is not a number."""
    try:
        numbers = int(quota), int(period)
    except ValueError:
        return None
    return numbers[0] / numbers[1] if min(numbers) > 0 else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
