from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.machine.cpus import cpu_quota, usable_cpus


def files(folder: Path, contents: dict[str, str]) -> tuple[Path, Path]:
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder / "cgroup", folder / "own"


V1 = "12:cpuset:/\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n"


@pytest.mark.parametrize(
    ("contents", "quota"),
    [
        ({}, None),
        ({"own": "0::/\n", "cgroup/cpu.max": "max 100000\n"}, None),
        ({"own": "0::/\n", "cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"own": "0::/\n", "cgroup/cpu.max": "50000\n"}, 0.5),
        ({"own": "0::/a/b\n", "cgroup/a/cpu.max": "200000 100000\n"}, 2.0),
        (
            {
                "own": "0::/a/b\n",
                "cgroup/a/cpu.max": "400000 100000",
                "cgroup/a/b/cpu.max": "max 100000",
                "cgroup/cpu.max": "300000 100000",
            },
            3.0,
        ),
        ({"own": "0::/../outside\n", "cgroup/cpu.max": "100000 100000\n"}, 1.0),
        ({"own": "0::/\n", "cgroup/cpu.max": "nonsense\n"}, None),
        (
            {
                "own": V1,
                "cgroup/cpu/docker/abc/cpu.cfs_quota_us": "250000\n",
                "cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            {
                "own": V1,
                "cgroup/cpu,cpuacct/cpu.cfs_quota_us": "100000\n",
                "cgroup/cpu,cpuacct/cpu.cfs_period_us": "50000\n",
            },
            2.0,
        ),
        (
            {
                "own": V1,
                "cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
)
def test_the_quota_of_either_version_is_read(
    tmp_path: Path, contents: dict[str, str], quota: float | None
) -> None:
    assert cpu_quota(*files(tmp_path, contents)) == quota


def test_workers_are_as_many_as_the_quota_lets_run(tmp_path: Path) -> None:
    available = len(os.sched_getaffinity(0))
    groups = files(tmp_path, {"own": "0::/\n", "cgroup/cpu.max": "170000 100000"})
    assert usable_cpus(*groups) == 1
    (tmp_path / "cgroup/cpu.max").write_text("10000 100000")
    assert usable_cpus(*groups) == 1
    (tmp_path / "cgroup/cpu.max").write_text("9900000 100000")
    assert usable_cpus(*groups) == available
