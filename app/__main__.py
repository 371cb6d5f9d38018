"""``python -m app``: migrate the database and serve."""

from __future__ import annotations

import logging
import socket
import sys

import uvicorn
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.bootstrap import build_state, make_lifespan
from app.domain.errors import FacegateError
from app.main import create_app
from app.settings import Settings

logger = logging.getLogger("app")


def main() -> None:
    """Serve until told to stop; what keeps it from starting is one line, not a traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings()
    except ValidationError as error:
        faults = "; ".join(_told(fault) for fault in error.errors(include_input=False))
        logger.error("the settings cannot be used: %s", faults)
        sys.exit(2)
    try:
        _require_free_port(settings.host, settings.port)
        built = build_state(settings)
    except (FacegateError, ValueError, OSError) as error:
        logger.error("the service cannot start: %s", error)
        sys.exit(2)
    logger.info("documentation: http://%s:%d/docs", settings.host, settings.port)
    # Paths hold employee ids: exchanges are counted by /metrics, not written to a log.
    uvicorn.run(
        create_app(settings, make_lifespan(settings, built)),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
    )


def _require_free_port(host: str, port: int) -> None:
    """Raise ``OSError`` naming the setting, before a minute is spent on what would not be heard."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise OSError(f"FACEGATE_HOST, FACEGATE_PORT: {host}:{port}: {error.strerror}") from error


def _told(fault: ErrorDetails) -> str:
    """Return what is wrong with which variable; the value may be a secret and is not repeated."""
    names = [f"FACEGATE_{str(part).upper()}: " for part in fault["loc"]]
    return "".join(names) + fault["msg"]


if __name__ == "__main__":
    main()
