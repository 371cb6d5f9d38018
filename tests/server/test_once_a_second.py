from __future__ import annotations

import logging

import pytest

from app.server.once_a_second import OnceASecond


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def written(now: list[float]) -> Lines:
    handler = Lines()
    handler.addFilter(OnceASecond(clock=lambda: now[0]))
    return handler


@pytest.fixture
def log(written: Lines) -> logging.Logger:
    logger = logging.Logger("service")
    logger.addHandler(written)
    return logger


def test_one_kind_is_written_once_a_second_with_how_many_were_not(
    log: logging.Logger, written: Lines, now: list[float]
) -> None:
    for number in range(1000):
        log.error("request %s failed at 0x%x", number, number)
    log.error("another kind")
    now[0] = 1.5
    log.error("request %s failed at 0x%x", "last", 0)
    assert written.lines == [
        "request 0 failed at 0x0",
        "another kind",
        "request last failed at 0x0 [and 999 more of this kind since]",
    ]


def test_texts_made_beforehand_are_of_one_kind_whatever_numbers_they_hold(
    log: logging.Logger, written: Lines
) -> None:
    for number in range(100):
        log.error(f"socket.accept() out of system resource fd={number}\nsocket: {number}")
    assert len(written.lines) == 1


def test_two_exceptions_are_two_kinds(log: logging.Logger, written: Lines) -> None:
    for error in (ValueError("a"), TypeError("b"), ValueError("c")):
        try:
            raise error
        except (ValueError, TypeError):
            log.exception("it failed")
    assert len(written.lines) == 2


def test_what_is_no_fault_is_always_written(log: logging.Logger, written: Lines) -> None:
    for _ in range(3):
        log.info("index built")
    assert len(written.lines) == 3


def test_kinds_without_end_take_no_memory_without_end(log: logging.Logger, written: Lines) -> None:
    for number in range(2000):
        log.error("kind " + "x" * number)
    assert len(written.lines) == 2000
