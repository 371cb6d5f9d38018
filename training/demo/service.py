"""Starts the service as an administrator does, on a free port of this machine, and stops it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2


class ServiceDidNotStartError(RuntimeError):
    """The service ended or did not become ready; the message holds the end of its log."""


@dataclass(frozen=True)
class RunningService:
    """A service process that is ready. ``start_seconds``: from launch to the first green check."""

    url: str
    process_id: int
    start_seconds: float


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_service(
    data_dir: Path, settings: Mapping[str, str] | None = None, timeout_seconds: float = 600.0
) -> Iterator[RunningService]:
    """Run ``python -m app`` on its own data directory until the block ends.

    ``settings`` are further ``FACEGATE_`` variables. Raises ``ServiceDidNotStartError``.
    """
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FACEGATE_")}
    own = {"FACEGATE_DATA_DIR": str(data_dir), "FACEGATE_PORT": str(port)}
    log_path = data_dir / "service.log"
    data_dir.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parents[2]
    with log_path.open("w") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=root,
            env=inherited | own | dict(settings or {}),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log_path, timeout_seconds)
            yield RunningService(url, process.pid, time.monotonic() - started)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(
    url: str, process: subprocess.Popen[bytes], log_path: Path, timeout_seconds: float
) -> None:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx2.get(f"{url}/readyz", timeout=10.0).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    tail = log_path.read_text(errors="replace")[-3000:]
    raise ServiceDidNotStartError(f"the service is not ready; its log ends:\n{tail}")
