"""What keeps the service from starting is told in one line that names the cause."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def start(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FACEGATE_")}
    return subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**plain, "FACEGATE_DATA_DIR": str(tmp_path), "FACEGATE_PORT": free_port(), **settings},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"FACEGATE_PORT": "abc"}, "FACEGATE_PORT: Input should be a valid integer"),
        ({"FACEGATE_RUNTIME": "onnx"}, "FACEGATE_RUNTIME: Input should be 'auto'"),
        ({"FACEGATE_TARGET_FPRI": "0.1"}, "_FPRI is no setting, FACEGATE_TARGET_FPIR is one"),
        ({"FACEGATE_MODEL_DIR": "nowhere"}, "nowhere holds no readable manifest.json"),
        ({"FACEGATE_DATABASE_URL": "mysql://x"}, "runs on SQLite or PostgreSQL"),
        (
            {"FACEGATE_DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:1/none"},
            "the database does not answer",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_one_line(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    run = start(tmp_path, **settings)
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert "secret" not in run.stderr


@pytest.mark.slow
def test_a_port_in_use_is_told_before_anything_is_loaded(tmp_path: Path, taken_port: int) -> None:
    run = start(tmp_path, FACEGATE_PORT=str(taken_port))
    assert run.returncode == 2
    assert f"FACEGATE_HOST, FACEGATE_PORT: 127.0.0.1:{taken_port}" in run.stderr
    assert not list(tmp_path.iterdir())
