"""Requests that many tests send."""

from __future__ import annotations

import base64

from httpx2 import Response
from starlette.testclient import TestClient

from tests.services.fakes import photo


def enroll(client: TestClient, employee_id: str, *photos: bytes, **fields: str) -> Response:
    return client.post(
        "/v1/enroll",
        data={"employee_id": employee_id, "full_name": f"Name of {employee_id}", **fields},
        files=[("photos", ("photo.jpg", content)) for content in photos],
    )


def ask(client: TestClient, path: str, content: bytes, **query: str | int) -> Response:
    return client.post(path, files={"photo": ("photo.jpg", content)}, params=query)


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def enroll_team(client: TestClient) -> None:
    for name in ("ann", "bob", "eve"):
        assert enroll(client, name, photo(name, 1), photo(name, 2)).status_code == 201
