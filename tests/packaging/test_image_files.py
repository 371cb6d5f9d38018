"""The files that the image holds, and no others, make a service that its health check accepts."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.packaging.dockerfile import ROOT, Stage, read_stages

STAGES = {stage.name: stage for stage in read_stages()}
SERVICE, CONVERTER = STAGES["service"], STAGES["converter"]


@pytest.mark.slow
def test_the_files_of_the_image_make_a_healthy_service(tmp_path: Path) -> None:
    """As in the image the converter has only what its stage copies, and the service no torch."""
    image, data, scratch = tmp_path / "image", tmp_path / "data", tmp_path / "scratch"
    converter, hidden = tmp_path / "converter", tmp_path / "hidden"
    for folder in (image, data, scratch, converter, hidden):
        folder.mkdir()
    copy_as_the_dockerfile_does(CONVERTER, converter)
    convert_as_the_dockerfile_does(converter, tmp_path / "prepared")
    copy_as_the_dockerfile_does(SERVICE, image)
    shutil.copytree(tmp_path / "prepared", image, dirs_exist_ok=True)
    (hidden / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = None\n")
    before = listing(image)
    environment = {
        "PATH": os.environ["PATH"],
        **{name: value for name, value in SERVICE.environment().items() if name != "PATH"},
        "PYTHONPATH": str(hidden),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "FACEGATE_HOST": "127.0.0.1",
        "FACEGATE_PORT": str(free_port()),
        "FACEGATE_DATA_DIR": str(data),
    }
    with service(image, environment, tmp_path / "log") as process:
        wait_until_healthy(process, image, environment, tmp_path / "log")
    assert listing(image) == before, "the service writes beside its code: no read-only root"
    assert not listing(scratch), "the service or a library of it leaves something behind"
    assert not (data / "prepared-models").exists(), "what the converter made was not found"
    assert listing(data), "the service keeps its data somewhere else than in the volume"


def test_the_health_check_fails_where_nothing_listens(tmp_path: Path) -> None:
    environment = {**os.environ, "FACEGATE_PORT": str(free_port())}
    assert health_check(tmp_path, environment).returncode != 0


def copy_as_the_dockerfile_does(stage: Stage, image: Path) -> None:
    for sources, destination in stage.context_copies():
        target = image / destination
        (target if destination.endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(
                    ROOT / source,
                    image / destination,
                    ignore=shutil.ignore_patterns("__pycache__"),
                )
            else:
                shutil.copy(ROOT / source, image / destination)


def convert_as_the_dockerfile_does(folder: Path, prepared: Path) -> None:
    """Run the very command of the stage, among the files that it copies and no others."""
    command = re.sub(r'(?<=[ "])/prepared', str(prepared), CONVERTER.all_of("RUN")[-1])
    subprocess.run(
        ["sh", "-c", command.replace("python -m", f"{sys.executable} -m")], cwd=folder, check=True
    )
    models = [path.name for path in (ROOT / "models" / "embedder").iterdir()]
    converted = [path.name for path in (prepared / "models" / "embedder").iterdir()]
    assert sorted(converted) == sorted(models)


def listing(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def service(
    image: Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    _, *arguments = SERVICE.exec_form("CMD")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=image,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_healthy(
    process: subprocess.Popen[bytes], image: Path, environment: dict[str, str], log: Path
) -> None:
    while (check := health_check(image, environment)).returncode != 0:
        assert process.poll() is None, f"{log.read_text(encoding='utf-8')}\n{check.stderr}"
        time.sleep(0.3)


def health_check(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    _, *arguments = SERVICE.exec_form("HEALTHCHECK")
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
