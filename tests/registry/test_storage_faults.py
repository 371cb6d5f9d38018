"""What becomes of a database that is overwritten, gone, full, read-only, frozen or of others."""

from __future__ import annotations

import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from app.domain import errors
from app.domain.errors import BusyError, FacegateError, RegistryUnavailableError
from app.registry.database import create_probe_engine, create_registry_engine
from app.registry.faults import domain_error
from app.registry.repository import SqlRegistry
from app.registry.schema import is_at_head, upgrade_to_head
from app.registry.timeouts import DatabaseTimeouts
from tests.registry.builders import new_photo
from tests.registry.databases import POSTGRESQL, SQLITE, empty_database, migrated_database


def open_registry(url: str | Path) -> SqlRegistry:
    return SqlRegistry(
        create_registry_engine(url, DatabaseTimeouts(lock=0.5)), create_probe_engine(url)
    )


def enroll_somebody(registry: SqlRegistry, name: str = "E-1") -> None:
    with registry.session() as session:
        key = session.add_employee(name, "A", None).key
        session.add_photos(key, [new_photo(1)])
        session.commit()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    migrated_database(SQLITE, tmp_path)
    return tmp_path / "registry.db"


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A folder that other users can reach; pytest's own are closed to them, again and again."""
    folder = Path(tempfile.mkdtemp(prefix="facegate-others-"))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def registry(file: Path) -> Iterator[SqlRegistry]:
    """A registry at work: its connections are open and what they read is cached."""
    opened = open_registry(file)
    enroll_somebody(opened)
    opened.probe()
    yield opened
    opened.close()


def test_a_probe_writes_one_row_a_process(registry: SqlRegistry, file: Path) -> None:
    other = open_registry(file)
    for _ in range(3):
        registry.probe()
        other.probe()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM probes").fetchone() == (2,)
        old = "UPDATE probes SET written_at = '2020-01-01 00:00:00'"
        connection.execute(old)
        connection.commit()
    third = open_registry(file)
    third.probe()  # and deletes what ended processes left behind
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM probes").fetchone() == (1,)
    registry.probe()
    for one in (other, third):
        one.close()


def overwrite(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"\x5a" * file.stat().st_size)


def truncate(file: Path) -> None:
    with file.open("w"):
        pass


def replace_by_an_empty_database(file: Path) -> None:
    _forget(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def _forget(file: Path) -> None:
    for one in file.parent.glob(file.name + "*"):
        one.unlink()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (overwrite, errors.RegistryDamagedError),
        (truncate, errors.RegistryDamagedError),
        (_forget, RegistryUnavailableError),
        (replace_by_an_empty_database, errors.RegistrySchemaError),
    ],
)
def test_a_file_that_is_not_ours_any_more_is_noticed_and_a_backup_heals(
    registry: SqlRegistry,
    file: Path,
    tmp_path: Path,
    fault: Callable[[Path], None],
    kind: type[FacegateError],
) -> None:
    with (
        closing(sqlite3.connect(file)) as live,
        closing(sqlite3.connect(tmp_path / "backup.db")) as copy,
    ):
        live.backup(copy)
    fault(file)
    with pytest.raises(RegistryUnavailableError) as caught:
        registry.probe()
    assert type(caught.value) is kind
    with pytest.raises(RegistryUnavailableError):
        enroll_somebody(registry, "E-2")
    assert file.exists() is (fault is not _forget)  # a missing one is not made anew, empty
    _forget(file)
    shutil.copyfile(tmp_path / "backup.db", file)
    registry.probe()
    enroll_somebody(registry, "E-2")
    with registry.session() as session:
        assert session.find_employee("E-1") is not None


def test_what_was_moved_away_is_not_written_to(registry: SqlRegistry, file: Path) -> None:
    """An acknowledged enrollment in a file that nobody will open again is a lost one."""
    moved = file.with_name("moved.db")
    with registry.session():
        pass
    shutil.copyfile(file, file.with_name("copy.db"))
    for suffix in ("-wal", "-shm"):
        if (beside := Path(f"{file}{suffix}")).exists():
            shutil.copyfile(beside, f"{file.with_name('copy.db')}{suffix}")
            beside.rename(f"{moved}{suffix}")
    file.rename(moved)
    for suffix in ("", "-wal", "-shm"):
        if (beside := Path(f"{file.with_name('copy.db')}{suffix}")).exists():
            beside.rename(f"{file}{suffix}")
    enroll_somebody(registry, "E-2")
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT employee_id FROM employees ORDER BY key").fetchall()
    assert found == [("E-1",), ("E-2",)]


def test_a_full_database_says_so_and_goes_on_when_there_is_room(
    registry: SqlRegistry,
) -> None:
    """A limit of the process on the size of files is met as a full disk is."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_048, limits[1]))
    try:
        with pytest.raises(errors.RegistryInputOutputError):
            enroll_somebody(registry, "E-2")
        with pytest.raises(RegistryUnavailableError):
            registry.probe()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    registry.probe()
    enroll_somebody(registry, "E-2")


def test_sqlites_own_word_for_full(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE filler (bytes)")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
    found = domain_error(caught.value)
    assert isinstance(found, errors.RegistryFullError)
    assert found.retry_after_seconds == 60


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_READONLY_DBMOVED, errors.RegistryReadOnlyError),
        (sqlite3.SQLITE_IOERR_FSYNC, errors.RegistryInputOutputError),
        (sqlite3.SQLITE_CORRUPT_INDEX, errors.RegistryDamagedError),
        (sqlite3.SQLITE_NOTADB, errors.RegistryDamagedError),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, RegistryUnavailableError),
        (sqlite3.SQLITE_BUSY_RECOVERY, BusyError),
        (sqlite3.SQLITE_MISUSE, None),
    ],
)
def test_extended_codes_are_of_their_primary_kind(
    code: int, kind: type[FacegateError] | None
) -> None:
    error = sqlite3.OperationalError("anything")
    error.sqlite_errorcode = code
    assert domain_error(error) is None if kind is None else type(domain_error(error)) is kind


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "code"),
    [
        (0o777, 0o444, "registry_read_only"),
        (0o777, 0o000, "registry_unavailable"),
        (0o555, 0o666, "registry_read_only"),  # no log can be made beside it
        (0o000, 0o666, "registry_unavailable"),
    ],
)
def test_permissions_that_do_not_suffice_are_told(
    others_folder: Path, folder_mode: int, file_mode: int, code: str
) -> None:
    """As another user than root, whom permissions do not hold."""
    migrated_database(SQLITE, others_folder)
    file = others_folder / "registry.db"
    file.chmod(file_mode)
    others_folder.chmod(folder_mode)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from app.domain.errors import FacegateError\n"
        "from app.registry.database import create_migration_engine, create_probe_engine\n"
        "from app.registry.probe import RegistryProbe\n"
        "from app.registry.repository import utc_now\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([])\n"
        "    os.setresgid(65534, 65534, 65534)\n"
        "    os.setresuid(65534, 65534, 65534)\n"
        "file = Path(sys.argv[1])\n"
        "try:\n"
        "    create_migration_engine(file).connect().close()\n"
        "    RegistryProbe(create_probe_engine(file), utc_now).run()\n"
        "except FacegateError as error:\n"
        "    print(error.code)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == code, run.stderr


@pytest.mark.parametrize(
    "name", ["a?b", "a%20b", "a#b", "~", "a b", "ä&=;'\"", "%", "?mode=memory"]
)
def test_a_folder_of_any_name_is_the_folder_that_was_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    file = folder / "facegate.sqlite3"
    assert not is_at_head(file)
    upgrade_to_head(file)
    assert is_at_head(file)
    registry = open_registry(file)
    enroll_somebody(registry)
    registry.probe()
    assert file in folder.iterdir()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    registry.close()


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:postgresql://h/secret",
        "postgresql://u:secret@h:port/n",
        "no url: secret",
        "postgresql:secret",
        "sqlite:///file:secret?uri=true",
    ],
)
def test_a_malformed_url_is_told_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"FACEGATE_DATABASE_URL|SQLite") as caught:
        create_registry_engine(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.slow
def test_a_database_that_another_holds_is_told_at_the_start(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        with pytest.raises(RegistryUnavailableError, match="locked by another process"):
            upgrade_to_head(file)
        assert time.monotonic() - started < 10


def test_a_newer_schema_is_told(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(errors.RegistrySchemaError, match="has the schema 9999"):
        upgrade_to_head(file)


class Wire:
    """A TCP way to a PostgreSQL server that can freeze, as the host behind it does."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        folder = str(parsed.query["host"])
        self._server = f"{folder}/.s.PGSQL.{parsed.query.get('port', parsed.port or 5432)}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.flows = threading.Event()
        self.flows.set()
        port = self._listener.getsockname()[1]
        self.url = parsed.set(host="127.0.0.1", port=port, query={}).render_as_string(
            hide_password=False
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with source, suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(migrated_database(POSTGRESQL, tmp_path))
    yield wire
    wire.flows.set()
    wire.close()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_frozen_postgresql_keeps_nobody_waiting_and_is_used_again(wire: Wire) -> None:
    patience = DatabaseTimeouts(connect=2, statement=1.0, answer=1.5)
    registry = SqlRegistry(
        create_registry_engine(wire.url, patience), create_probe_engine(wire.url)
    )
    enroll_somebody(registry)
    registry.probe()
    wire.flows.clear()
    for ask in (registry.probe, lambda: enroll_somebody(registry, "E-2")):
        started = time.monotonic()
        with pytest.raises(RegistryUnavailableError, match="does not answer"):
            ask()
        assert time.monotonic() - started < 6
    wire.flows.set()
    registry.probe()
    enroll_somebody(registry, "E-3")
    registry.close()


@pytest.mark.postgres
def test_statements_and_locks_of_postgresql_end(tmp_path: Path) -> None:
    url = migrated_database(POSTGRESQL, tmp_path)
    engine = create_registry_engine(url, DatabaseTimeouts(statement=0.3))
    with (
        engine.connect() as connection,
        pytest.raises(RegistryUnavailableError, match="took too long"),
    ):
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    with engine.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout")
        }
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        parameters = raw.info.get_parameters()
    assert shown == {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "1min"}
    assert parameters["tcp_user_timeout"] == "10000"
    assert parameters["keepalives_count"] == "3"
    engine.dispose()


@pytest.mark.postgres
def test_a_url_may_say_otherwise(tmp_path: Path) -> None:
    url = make_url(migrated_database(POSTGRESQL, tmp_path)).update_query_dict(
        {"options": "-c lock_timeout=7s", "application_name": "door"}
    )
    engine = create_registry_engine(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "7s"
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "10s"
        assert connection.exec_driver_sql("SHOW application_name").scalar_one() == "door"
    engine.dispose()


@pytest.mark.postgres
def test_a_read_only_postgresql_is_told(tmp_path: Path) -> None:
    url = make_url(migrated_database(POSTGRESQL, tmp_path)).update_query_dict(
        {"options": "-c default_transaction_read_only=on"}
    )
    registry = open_registry(url.render_as_string(hide_password=False))
    with pytest.raises(errors.RegistryReadOnlyError):
        registry.probe()
    with pytest.raises(errors.RegistryReadOnlyError):
        enroll_somebody(registry)
    registry.close()


@pytest.mark.postgres
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_postgresql_that_is_not_utf8_is_told(tmp_path: Path, encoding: str) -> None:
    url = empty_database(POSTGRESQL, tmp_path)
    name = f"facegate_{encoding.lower()}"
    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
        autocommit=True,
    ) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'"
        )
    other = make_url(url).set(database=name).render_as_string(hide_password=False)
    with pytest.raises(errors.RegistrySchemaError, match=f"is encoded in {encoding}"):
        upgrade_to_head(other)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_postgresql_that_another_migrates_is_told_at_the_start(tmp_path: Path) -> None:
    url = migrated_database(POSTGRESQL, tmp_path)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [0x6661636567617465])
        started = time.monotonic()
        with pytest.raises(RegistryUnavailableError, match="locked by another process"):
            upgrade_to_head(url)
        assert time.monotonic() - started < 10
