from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from tests.api.conftest import make_app  # noqa: F401  a fixture
from tests.services.conftest import open_house  # noqa: F401  a fixture
from training.demo.service import free_port

KEY = "a-key-of-sixteen-or-more"


@pytest.fixture
def base_url(make_app: Callable[..., FastAPI]) -> Iterator[str]:  # noqa: F811
    """The application around fake eyes, served over real HTTP by a thread of this process."""
    config = uvicorn.Config(
        make_app(api_key=KEY), host="127.0.0.1", port=free_port(), log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{config.port}"
    server.should_exit = True
    thread.join()
