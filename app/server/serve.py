"""Runs the application behind uvicorn, with an end to everything: connections, log, shutdown."""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import FrameType
from typing import TextIO

import uvicorn
from asgi_correlation_id import CorrelationIdFilter
from starlette.types import ASGIApp

from app.machine.descriptors import connection_limit
from app.server.bounded_protocol import ConnectionLimits, bounded_protocol
from app.server.once_a_second import OnceASecond

logger = logging.getLogger(__name__)

#: Requests in progress get so long; container platforms kill after 10 s.
GRACE_SECONDS = 5
#: Whatever still hangs then, a thread in a database call, say, is left behind.
LONGEST_SHUTDOWN_SECONDS = 7.5


class EndingServer(uvicorn.Server):
    """A server that stops when it is signalled, even if a request hangs."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the shutdown, and see to it that it ends."""
        if not self.should_exit:
            timer = threading.Timer(LONGEST_SHUTDOWN_SECONDS, _leave, (sig,))
            timer.daemon = True
            timer.start()
        super().handle_exit(sig, frame)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve until stopped."""
    limits = ConnectionLimits(connection_limit())
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded_protocol(limits),
        ws="none",
        log_config=None,
        # Paths hold employee ids: exchanges are counted by /metrics, not written to a log.
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    EndingServer(config).run()


def log_to_stderr() -> None:
    """Send the log to stderr."""
    logging.basicConfig(level=logging.INFO, handlers=[log_handler(sys.stderr)])


def log_handler(stream: TextIO) -> logging.Handler:
    """Return what writes the log: each kind of fault once a second, each line with its request.

    The id of the request stands before the message; ``-`` where the line is of none.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(OnceASecond())
    handler.addFilter(CorrelationIdFilter(default_value="-"))
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s %(correlation_id)s %(message)s")
    )
    return handler


def _leave(sig: int) -> None:
    logger.error("work that did not end within %s s is left behind", LONGEST_SHUTDOWN_SECONDS)
    logging.shutdown()
    os._exit(128 + sig)
