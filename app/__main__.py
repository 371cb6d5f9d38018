"""``python -m app``: migrate the database and serve; ``audit`` and ``prepare`` do what they say."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.domain.errors import FacegateError
from app.machine.memory import limit_arenas
from app.server.serve import log_to_stderr, serve
from app.settings import Settings, misspelt_variables

logger = logging.getLogger("app")

MAX_ARENAS = 8


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until stopped, or audit; what prevents either is one line, not a traceback."""
    log_to_stderr()
    parsed = _parser().parse_args(arguments)
    if parsed.command == "prepare":
        _prepare(parsed.model, parsed.folder)
        return
    try:
        settings = Settings()
    except ValidationError as error:
        faults = "; ".join(_fault_text(fault) for fault in error.errors(include_input=False))
        logger.error("the settings cannot be used: %s", faults)
        sys.exit(2)
    misspelt = misspelt_variables(os.environ)
    if misspelt:
        text = "; ".join(
            f"{name} is no setting, {meant} is one" for name, meant in misspelt.items()
        )
        logger.error("the settings cannot be used: %s", text)
        sys.exit(2)
    if parsed.command == "audit":
        _audit(settings, parsed.out)
    else:
        _serve(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="Serve, audit, or prepare.")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="migrate the database and serve (the default)")
    audit = commands.add_parser("audit", help="print what the enrolled photos tell of each other")
    audit.add_argument("--out", type=Path, help="write the report to this HTML file as well")
    prepare = commands.add_parser(
        "prepare", help="convert a model's folder for OpenVINO, so that serving it needs no torch"
    )
    prepare.add_argument("model", type=Path, help="the folder with manifest.json")
    prepare.add_argument("folder", type=Path, help="where the converted files go")
    return parser


def _prepare(model: Path, folder: Path) -> None:
    from app.embedding.artifact import open_artifact
    from app.embedding.prepared import prepare

    try:
        prepare(open_artifact(model), folder)
    except (FacegateError, OSError) as error:
        logger.error("the model cannot be prepared: %s", error)
        sys.exit(2)


def _serve(settings: Settings) -> None:
    try:
        _require_free_port(settings.host, settings.port)
        limit_arenas(max(2, min(settings.workers, MAX_ARENAS)), os.environ)
        from app.bootstrap import build_state, make_lifespan
        from app.main import create_app

        built = build_state(settings)
    except (FacegateError, ValueError, OSError) as error:
        logger.error("the service cannot start: %s", error)
        sys.exit(2)
    logger.info("documentation: http://%s:%d/docs", settings.host, settings.port)
    serve(create_app(settings, make_lifespan(settings, built)), settings.host, settings.port)


def _audit(settings: Settings, out: Path | None) -> None:
    """Print an audit of the registry, beside a running service or without one."""
    from app.api.audits.page import audit_page
    from app.api.audits.text import audit_text
    from app.bootstrap import build_gallery_audit

    try:
        gallery_audit, registry = build_gallery_audit(settings)
        try:
            result = gallery_audit.run(lambda _done: None)
        finally:
            registry.close()
        if out is not None:
            page = audit_page(result, gallery_audit.model_version, datetime.now(UTC))
            out.write_text(page, encoding="utf-8")
    except (FacegateError, ValueError, OSError) as error:
        logger.error("the audit cannot be made: %s", error)
        sys.exit(2)
    sys.stdout.write(audit_text(result) + "\n")


def _require_free_port(host: str, port: int) -> None:
    """Raise ``OSError`` naming the setting, before a minute is spent on what would not be heard."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise OSError(f"FACEGATE_HOST, FACEGATE_PORT: {host}:{port}: {error.strerror}") from error


def _fault_text(fault: ErrorDetails) -> str:
    """Return what is wrong with which variable; the value may be a secret and is not repeated."""
    names = [f"FACEGATE_{str(part).upper()}: " for part in fault["loc"]]
    return "".join(names) + fault["msg"]


if __name__ == "__main__":
    main()
