"""Connections are bounded in number and in time; honest callers are served beside slow ones."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.server.bounded_protocol import BoundedProtocol, ConnectionLimits, bounded_protocol

LIMITS = ConnectionLimits(5, head_seconds=0.6, rest_seconds=0.4, answer_seconds=0.6)
LARGE = 20_000_000
#: Less than a transport holds before it calls its protocol, and more than the sockets below hold.
SOME = 50_000


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body on /read, answer much on /large and some on /some, at once elsewhere."""
    if scope["path"] == "/read":
        while (await receive()).get("more_body", False):
            pass
    body = b"x" * {"/large": LARGE, "/some": SOME}.get(scope["path"], 0) or b"done"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def start() -> Iterator[Callable[..., int]]:
    """Return a way to serve with limits; it gives the port."""
    with ExitStack() as stack:

        def serve(limits: ConnectionLimits, protocol: type[BoundedProtocol] | None = None) -> int:
            config = uvicorn.Config(
                answers,
                port=0,
                http=protocol or bounded_protocol(limits),
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
def connect(start: Callable[..., int]) -> Iterator[Callable[..., socket.socket]]:
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


def test_an_answer_that_is_not_taken_is_ended(start: Callable[..., int]) -> None:
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


class Connections(NamedTuple):
    """A server whose open sockets can be counted, and a way to be one who does not read."""

    open_count: Callable[[], int]
    connect: Callable[[bytes], None]


@pytest.fixture
def unread(start: Callable[..., int]) -> Iterator[Connections]:
    transports: list[asyncio.Transport] = []

    class SmallProtocol(BoundedProtocol):
        """What the system takes by itself is kept small, so that the rest stays here."""

        limits = LIMITS

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            transports.append(transport)
            own = transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            super().connection_made(transport)

    port = start(LIMITS, SmallProtocol)

    def open_count() -> int:
        return sum(one.get_extra_info("socket").fileno() >= 0 for one in transports)

    with ExitStack() as stack:

        def connect(content: bytes) -> None:
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect(("127.0.0.1", port))
            connection.sendall(content)

        yield Connections(open_count, connect)


@pytest.mark.parametrize("closing", ["", "connection: close\r\n"])
def test_a_small_answer_that_is_not_taken_is_ended_too(unread: Connections, closing: str) -> None:
    unread.connect(f"GET /some HTTP/1.1\r\nhost: here\r\n{closing}\r\n".encode())
    time.sleep(0.3)
    assert unread.open_count() == 1
    time.sleep(1.2)
    assert unread.open_count() == 0


def test_who_gives_way_without_reading_is_gone_at_once(unread: Connections) -> None:
    started = time.monotonic()
    for _ in range(4 * LIMITS.connections):
        unread.connect(b"GET /some HTTP/1.1\r\nhost: here\r\n\r\n")
    time.sleep(0.2)
    assert unread.open_count() <= LIMITS.connections
    assert time.monotonic() - started < LIMITS.answer_seconds
