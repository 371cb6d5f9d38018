from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from training.demo.service import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One real process of the service, with the shipped models and an empty database."""
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def http(service: RunningService) -> Iterator[httpx2.Client]:
    """A client of a service whose registry is empty."""
    with httpx2.Client(base_url=service.url, timeout=60.0) as client:
        for employee in client.get("/v1/employees?limit=500").json()["employees"]:
            client.delete(f"/v1/employees/{employee['employee_id']}").raise_for_status()
        yield client
