"""Connections are bounded in number and in time; honest callers are served beside slow ones."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.server.bounded_protocol import ConnectionLimits, bounded_protocol

LIMITS = ConnectionLimits(5, head_seconds=0.6, rest_seconds=0.4, answer_seconds=0.6)
LARGE = 20_000_000


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body on /read, answer much on /large, at once elsewhere."""
    if scope["path"] == "/read":
        while (await receive()).get("more_body", False):
            pass
    body = b"x" * LARGE if scope["path"] == "/large" else b"done"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def start() -> Iterator[Callable[[ConnectionLimits], int]]:
    """Return a way to serve with limits; it gives the port."""
    with ExitStack() as stack:

        def serve(limits: ConnectionLimits) -> int:
            config = uvicorn.Config(
                answers,
                port=0,
                http=bounded_protocol(limits),
                lifespan="off",
                log_config=None,
                timeout_keep_alive=1,
                timeout_graceful_shutdown=1,
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run)
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            while not server.started:
                time.sleep(0.01)
            return int(server.servers[0].sockets[0].getsockname()[1])

        yield serve


@pytest.fixture
def connect(start: Callable[[ConnectionLimits], int]) -> Iterator[Callable[..., socket.socket]]:
    port = start(LIMITS)
    with ExitStack() as stack:

        def opened(content: bytes = b"") -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5.0))
            connection.sendall(content)
            return connection

        yield opened


def everything_from(connection: socket.socket) -> bytes:
    """Return what comes until the other end closes."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def until_done(connection: socket.socket) -> None:
    """Wait for the end of one answer."""
    received = b""
    while not received.endswith(b"done"):
        part = connection.recv(65536)
        assert part, received
        received += part


def trickle(connection: socket.socket, part: bytes) -> None:
    """Send a little again and again; raises ``OSError`` when the other end has had enough."""
    for _ in range(50):
        connection.sendall(part)
        time.sleep(0.1)


GET = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("half", [b"", b"GET / HT", b"POST /read HTTP/1.1\r\nhost: here\r\nx: "])
def test_a_head_that_does_not_end_is_ended(
    connect: Callable[..., socket.socket], half: bytes
) -> None:
    started = time.monotonic()
    answer = everything_from(connect(half))
    assert 0.5 < time.monotonic() - started < 3.0
    assert b"408 Request Timeout" in answer
    assert b'"code":"request_too_slow"' in answer


def test_a_head_that_trickles_is_ended(connect: Callable[..., socket.socket]) -> None:
    connection = connect(b"GET / HTTP/1.1\r\n")
    started = time.monotonic()
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        trickle(connection, b"x: y\r\n")
    assert time.monotonic() - started < 3.0


def test_the_second_head_of_a_connection_must_end_as_well(
    connect: Callable[..., socket.socket],
) -> None:
    connection = connect(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
    until_done(connection)
    connection.sendall(b"GET / HT")
    assert b"408" in everything_from(connection)


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "GET", "POST"])
def test_a_body_that_nobody_reads_does_not_hold_the_connection(
    connect: Callable[..., socket.socket], method: str
) -> None:
    head = f"{method} / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\n\r\n"
    connection = connect(head.encode() + b"x")
    started = time.monotonic()
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        trickle(connection, b"x")  # each byte put off the end of an idle connection
    assert time.monotonic() - started < 3.0


def test_a_whole_request_after_an_unread_body_is_served(
    connect: Callable[..., socket.socket],
) -> None:
    connection = connect(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\nxx")
    until_done(connection)
    connection.sendall(b"xx" + GET)
    assert b"done" in everything_from(connection)


def test_an_answer_that_is_not_taken_is_ended(start: Callable[[ConnectionLimits], int]) -> None:
    port = start(LIMITS)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.settimeout(5.0)
        connection.sendall(b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n")
        time.sleep(1.5)
        assert len(everything_from(connection)) < LARGE


def test_a_caller_is_served_while_others_send_halves(
    connect: Callable[..., socket.socket],
) -> None:
    halves = [connect(b"GET / HTTP/1.1\r\n") for _ in range(50)]
    assert b"done" in everything_from(connect(GET))
    # The longest idle gave way.
    assert everything_from(halves[0]) == b""


def test_where_all_are_at_work_the_next_is_told(connect: Callable[..., socket.socket]) -> None:
    head = b"POST /read HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\n"
    working = [connect(head) for _ in range(LIMITS.connections)]
    time.sleep(0.3)
    refused = everything_from(connect(b""))
    assert b"503 Service Unavailable" in refused
    assert b"retry-after: 1" in refused
    assert b'"code":"busy"' in refused
    for connection in working:
        connection.sendall(b"body")
        until_done(connection)
