"""The Docker engine and compose that a test uses: those that are there, or an engine of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.image_test.errors import CannotTestError, ImageFaultError

START_SECONDS = 60.0
#: How much of a failed command's output is shown.
TAIL_LINES = 25


@dataclass(frozen=True)
class Needs:
    """What is looked for before anything is begun."""

    find: Callable[[str], str | None]  # the path of a program
    answers: Callable[[tuple[str, ...]], bool]  # whether a command ends well
    is_root: bool

    def compose(self) -> tuple[str, ...] | None:
        """Return the command of compose v2 where the client has it, else v1's; None: neither."""
        if self.find("docker") and self.answers(("docker", "compose", "version")):
            return ("docker", "compose")
        return ("docker-compose",) if self.find("docker-compose") else None

    def engine_runs(self) -> bool:
        """Whether an engine answers the client."""
        return self.find("docker") is not None and self.answers(("docker", "info"))

    def missing(self, *, stand_ins: bool) -> list[str]:
        """Return, in words, what is not here; ``stand_ins`` where base images have to be made."""
        found = []
        if not self.find("docker"):
            found.append("docker, the client (Debian: docker.io)")
        if self.compose() is None:
            found.append("docker compose or docker-compose (Debian: docker-compose)")
        if not self.engine_runs():
            if not self.find("dockerd"):
                found.append("an engine that answers, or dockerd to start one (Debian: docker.io)")
            elif not self.is_root:
                found.append("an engine that answers, or root to start dockerd")
        if stand_ins and not self.find("debootstrap"):
            found.append("debootstrap, which makes base images where none can be pulled")
        if stand_ins and not self.is_root:
            found.append("root, which debootstrap needs")
        return found


def needs_of_this_machine() -> Needs:
    """Look at this machine."""

    def answers(command: tuple[str, ...]) -> bool:
        run = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed words
        return run.returncode == 0

    return Needs(shutil.which, answers, os.geteuid() == 0)


@dataclass(frozen=True)
class Engine:
    """Commands for one engine, with what they find in their environment."""

    compose_command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def docker(self, *arguments: str | Path) -> str:
        """Run ``docker`` and return what it prints; raises ``ImageFaultError`` where it fails."""
        return self.run("docker", *arguments)

    def run(self, *command: str | Path, settings: Mapping[str, str] | None = None) -> str:
        """Run a command for this engine and return its stdout; ``settings`` are more variables."""
        done = self.ended(*command, settings=settings)
        if done.returncode:
            lines = (done.stdout + done.stderr).strip().splitlines()[-TAIL_LINES:]
            shown = " ".join(map(str, command[:6]))
            raise ImageFaultError("\n".join([f"{shown} … failed:", *lines]))
        return done.stdout.strip()

    def ended(
        self, *command: str | Path, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command for this engine, however it ends."""
        return subprocess.run(  # noqa: S603 - our own arguments, no shell
            command,
            env={**inherited(os.environ), **self.environment, **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the settings of a service or of compose's own project."""
    own = ("FACEGATE_", "COMPOSE_")
    return {name: value for name, value in environment.items() if not name.startswith(own)}


@contextmanager
def engine_for_test(needs: Needs, folder: Path) -> Iterator[Engine]:
    """Give the engine that answers, or one that runs in ``folder`` until the block ends."""
    compose = needs.compose()
    if compose is None:
        raise CannotTestError("neither docker compose nor docker-compose is here")
    if needs.engine_runs():
        yield Engine(compose)
        return
    host = f"unix://{folder / 'docker.sock'}"
    engine = Engine(compose, {"DOCKER_HOST": host})
    log = folder / "dockerd.log"
    # No bridge of its own: compose makes one for the test and takes it away, builds use the host's.
    command: list[str | Path] = [
        *("dockerd", "--host", host, "--pidfile", folder / "dockerd.pid", "--bridge", "none"),
        *("--data-root", folder / "data", "--exec-root", folder / "run"),
    ]
    with log.open("w") as output:
        daemon = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(engine, daemon, log)
            yield engine
        finally:
            daemon.terminate()
            try:
                daemon.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
            for mounted in (folder / "run" / "netns").glob("*"):  # left by builds on the host's
                engine.ended("umount", mounted)


def _wait_for(engine: Engine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while engine.ended("docker", "info").returncode:
        if daemon.poll() is not None or time.monotonic() > deadline:
            last = "\n".join(log.read_text().splitlines()[-5:])
            raise CannotTestError(f"dockerd does not start:\n{last}")
        time.sleep(0.5)
