"""One exchange with the application below HTTP, where a test decides when the body comes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from starlette.types import Message

Receive = Callable[[], Awaitable[Message]]


@dataclass
class Answer:
    """What the application sent."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)
    content: bytes = b""

    def json(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.content)
        return found


async def unreadable() -> Message:
    """Stand for a body that nobody may look at."""
    raise AssertionError("the body was read")


def chunks(*parts: bytes) -> Receive:
    """Return a way to receive a body of ``parts``, whose length is not announced."""
    waiting = list(parts)

    async def receive() -> Message:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    return receive


async def exchange(
    client: TestClient,
    method: str,
    path: str,
    headers: Mapping[str, str],
    receive: Receive,
    query: bytes = b"",
) -> Answer:
    """Return the answer of the started application behind ``client``."""
    answer = Answer()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = Headers(raw=message["headers"])
        else:
            answer.content += message["body"]

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in ({"host": "127.0.0.1:8000"} | dict(headers)).items()
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": dict(client.app_state),
    }
    await client.app(scope, receive, send)
    return answer


def local_client(app: FastAPI) -> TestClient:
    """Return a client that, like every caller without a key, uses a name of the loopback."""
    return TestClient(app, base_url="http://127.0.0.1:8000")


def ask_below_http(
    client: TestClient,
    method: str,
    path: str,
    headers: Mapping[str, str],
    receive: Receive,
    query: bytes = b"",
) -> Answer:
    """Run one exchange from outside the event loop."""
    assert client.portal is not None
    return client.portal.call(exchange, client, method, path, headers, receive, query)
