from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.api.http.middleware.body import Patience
from app.api.state import AppState
from app.bootstrap import LifespanState, make_metrics, provide_threads
from app.domain.runtime import Runtime
from app.main import create_app
from app.services.readiness import Readiness
from app.settings import Settings
from tests.api.exchange import local_client
from tests.services.conftest import House, open_house  # noqa: F401  a fixture
from tests.services.fakes import MANIFEST, photo

MAX_UPLOAD_BYTES = 2_000


@pytest.fixture
def make_app(open_house: Callable[..., House], tmp_path: Path) -> Callable[..., FastAPI]:  # noqa: F811
    """Return a way to build the application around fake eyes and a real registry."""

    def make(
        house: House | None = None, patience: Patience | None = None, **settings: object
    ) -> FastAPI:
        house = house or open_house()

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[LifespanState]:
            state = AppState(
                enrollment=house.enrollment,
                recognition=house.recognition,
                employees=house.employees,
                readiness=Readiness(
                    house.extraction, house.gallery, house.registry, photo("probe")
                ),
                manifest=MANIFEST,
                runtime=Runtime.TORCHSCRIPT,
                policy=house.policy,
                metrics=make_metrics(house.policy),
                max_upload_bytes=MAX_UPLOAD_BYTES,
                admission=house.admission,
                audits=house.audits,
                challenges=house.challenges,
            )
            provide_threads(house.admission.slot_count)
            yield {"facegate": state}

        defaults: dict[str, object] = {"data_dir": tmp_path, "max_request_bytes": 20_000}
        return create_app(Settings.model_validate(defaults | settings), lifespan, patience)

    return make


@pytest.fixture
def client(make_app: Callable[..., FastAPI]) -> Iterator[TestClient]:
    with local_client(make_app()) as started:
        yield started
