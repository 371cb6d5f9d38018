"""``python -m app``: migrate the database and serve."""

from __future__ import annotations

import logging
import sys

import uvicorn
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.main import create_app
from app.settings import Settings

logger = logging.getLogger("app")


def main() -> None:
    """Serve until told to stop; settings that cannot work are one line, not a traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings()
    except ValidationError as error:
        faults = "; ".join(_told(fault) for fault in error.errors(include_input=False))
        logger.error("the settings cannot be used: %s", faults)
        sys.exit(2)
    logger.info("documentation: http://%s:%d/docs", settings.host, settings.port)
    # Paths hold employee ids: exchanges are counted by /metrics, not written to a log.
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
    )


def _told(fault: ErrorDetails) -> str:
    """Return what is wrong with which variable; the value may be a secret and is not repeated."""
    names = [f"FACEGATE_{str(part).upper()}: " for part in fault["loc"]]
    return "".join(names) + fault["msg"]


if __name__ == "__main__":
    main()
