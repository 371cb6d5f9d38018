"""A start that cannot be is one line and exit status 2."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.__main__ import main
from tests.embedding.made_models import write_model
from tests.registry.databases import SQLITE, migrated_database


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., str]:
    """Return a way to start with settings, which gives the one line that says why it cannot be."""
    for name in [name for name in os.environ if name.startswith("FACEGATE_")]:
        monkeypatch.delenv(name)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def start(**settings: str) -> str:
        given = {"data_dir": str(tmp_path / "data"), "port": str(port)} | settings
        for name, value in given.items():
            monkeypatch.setenv(f"FACEGATE_{name.upper()}", value)
        caplog.clear()
        with pytest.raises(SystemExit) as ended:
            main([])
        assert ended.value.code == 2
        (line,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
        assert line.exc_info is None
        assert "\n" not in line.getMessage()
        assert "s3cret" not in line.getMessage()
        return line.getMessage()

    return start


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    migrated_database(SQLITE, tmp_path)
    return Path(shutil.move(tmp_path / "registry.db", folder / "facegate.sqlite3"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("jdbc:postgresql://host/s3cret", "without jdbc: in front"),
        ("s3cret", "is no database URL"),
        ("postgresql://user:s3cret@host:port/name", "is no database URL"),
        ("mysql://user:s3cret@host/name", "runs on SQLite or PostgreSQL"),
        ("postgresql://user:s3cret@no-such-host.invalid/name", "the database does not answer"),
    ],
)
def test_a_url_that_cannot_be_used(refused: Callable[..., str], url: str, said: str) -> None:
    assert said in refused(database_url=url)


def test_a_newer_schema(refused: Callable[..., str], database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "has the schema 9999" in refused()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at" * 100])
def test_a_file_that_is_no_database(
    refused: Callable[..., str], database: Path, content: bytes
) -> None:
    database.write_bytes(content)
    assert "the file is no database, or it is damaged" in refused()


def test_a_database_whose_inside_is_damaged(refused: Callable[..., str], database: Path) -> None:
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (size - 100))
    assert "damaged" in refused()


def test_a_database_of_somebody_else(refused: Callable[..., str], database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE employees (name)")
    assert "schema cannot be made" in refused()


@pytest.mark.slow
def test_a_locked_database_is_told_within_ten_seconds(
    refused: Callable[..., str], database: Path
) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert "locked by another process" in refused()
        assert time.monotonic() - started < 10


def test_a_data_directory_that_is_a_file(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert "exists" in refused(data_dir=str(tmp_path / "taken"))
    assert "Not a directory" in refused(data_dir=str(tmp_path / "taken" / "below"))


def test_a_secret_that_cannot_be_used(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "FACEGATE_API_KEY_FILE" in refused(api_key_file=str(tmp_path / "missing"))


def test_a_key_that_no_header_can_carry(refused: Callable[..., str]) -> None:
    assert "FACEGATE_API_KEY: " in refused(api_key="s3cret-schlüssel-mit-ü")


def test_a_folder_that_cannot_be_written_to(refused: Callable[..., str]) -> None:
    """Nobody makes folders below /proc, root no more than others."""
    assert "/proc/facegate" in refused(data_dir="/proc/facegate")
    assert "cannot be opened" in refused(data_dir="/proc/self")


def weak(document: dict[str, object]) -> None:
    """Turn a manifest into one that eleven strangers stand behind."""
    tails = document["impostor_tails"]
    assert isinstance(tails, list)
    tails[0]["people"] = 11
    document["support"] = {"people": 5, "photos": 20, "strangers": 11}


def test_a_risk_that_the_people_behind_a_model_cannot_support(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    model = write_model(tmp_path / "weak", weak)
    assert "0.27 at the rarest (rule of three)" in refused(model_dir=str(model))


def test_evidence_of_another_model(refused: Callable[..., str], tmp_path: Path) -> None:
    def other(document: dict[str, object]) -> None:
        document["calibration_evidence"] = {"sha256": "0" * 64}

    model = write_model(tmp_path / "copied", other)
    assert "calibration is evidence of another model file" in refused(model_dir=str(model))
