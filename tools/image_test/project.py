"""The compose project of a test: this repository's file, with the test's images and names."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.image_test.base_images import BaseImages
from tools.image_test.checks import KEY
from tools.image_test.engine import Engine
from tools.image_test.errors import ImageFaultError

ROOT = Path(__file__).resolve().parents[2]
NAME, IMAGE = "facegate-image-test", "facegate-image-test"
SERVICES = ("facegate", "database")
HEALTHY_SECONDS = 180.0


def override(bases: BaseImages, arguments: Mapping[str, str]) -> dict[str, object]:
    """Return what the test changes of ``docker-compose.yml``: images, names, and how it builds."""
    build = {"network": "host", "args": {"PYTHON_IMAGE": bases.python, **arguments}}
    volumes = ("service-data", "database-data")
    return {
        "services": {
            "facegate": {"image": IMAGE, "build": build},
            "database": {"image": bases.database},
        },
        "volumes": {volume: {"name": f"{NAME}-{volume}"} for volume in volumes},
    }


@dataclass(frozen=True)
class Project:
    """Compose commands for the test's project, whose service is published on ``port``."""

    engine: Engine
    files: tuple[Path, ...]
    empty: Path  # in the place of the caller's .env
    port: int

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str) -> str:
        """Run compose with secrets that are only for this test."""
        files = [word for file in self.files for word in ("--file", str(file))]
        return self.engine.run(
            *(*self.engine.compose_command, "--project-name", NAME, *files),
            *("--project-directory", str(ROOT), "--env-file", str(self.empty), *arguments),
            settings={
                "FACEGATE_API_KEY": KEY,
                "FACEGATE_DATABASE_PASSWORD": KEY,
                "FACEGATE_PUBLISH_PORT": str(self.port),
            },
        )

    def container(self, service: str) -> str:
        """Return the id of a service's container."""
        return self.compose("ps", "--quiet", service)

    def start(self) -> float:
        """Start both containers and return the seconds until both are healthy.

        Raises ``ImageFaultError`` with the end of the log where one does not become so.
        """
        started, states = time.monotonic(), dict[str, str]()
        try:
            self.compose("up", "--detach", "--no-build")
        except ImageFaultError as error:  # it waits for the database itself
            raise ImageFaultError(f"{error}\n{self._logs()}") from error
        while (waited := time.monotonic() - started) < HEALTHY_SECONDS:
            states = {service: self._state(service) for service in SERVICES}
            if set(states.values()) == {"running healthy"}:
                return waited
            if any(not state.startswith("running") for state in states.values()):
                break
            time.sleep(0.5)
        raise ImageFaultError(f"after {waited:.0f} s the containers are {states}:\n{self._logs()}")

    def check_confinement(self) -> None:
        """Raise ``ImageFaultError`` where a container runs as root or can write to its root."""
        for service in SERVICES:
            script = "id -u; touch /written 2>/dev/null && echo writable || true"
            user, *writable = self.execute(service, "sh", "-c", script).splitlines()
            if user == "0" or writable:
                raise ImageFaultError(f"{service} runs as user {user}, its root {writable}")

    def memory(self) -> dict[str, int]:
        """Return the service's resident memory in bytes: now, and its most so far."""
        status = self.execute("facegate", "cat", "/proc/1/status").splitlines()
        values = {line.split(":")[0]: line.split()[1] for line in status if line.endswith("kB")}
        return {"now": int(values["VmRSS"]) * 1024, "most": int(values["VmHWM"]) * 1024}

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a service's container."""
        return self.engine.docker("exec", self.container(service), *command)

    def _logs(self) -> str:
        return self.compose("logs", "--no-color", "--tail", "25")

    def _state(self, service: str) -> str:
        health = "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}"
        return self.engine.docker("inspect", "--format", health, self.container(service))


def make_project(
    engine: Engine, folder: Path, bases: BaseImages, arguments: Mapping[str, str]
) -> Project:
    """Write the test's own compose file into ``folder`` and return the project."""
    changes, empty = folder / "override.json", folder / "empty.env"
    changes.write_text(json.dumps(override(bases, arguments), indent=1))
    empty.touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return Project(engine, (ROOT / "docker-compose.yml", changes), empty, port)
