"""What `make image-test` does without an engine: what it misses, passes on, changes and refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from ruamel.yaml import YAML

from tools.image_test.__main__ import CANNOT_TEST, enroll, require
from tools.image_test.base_images import BaseImages, named_images
from tools.image_test.checks import MAX_BYTES, check_refusal, check_size
from tools.image_test.engine import Engine, Needs, engine_for_test, inherited
from tools.image_test.errors import CannotTestError, ImageFaultError
from tools.image_test.package_index import build_arguments, read_settings, served_folders
from tools.image_test.project import NAME, ROOT, SERVICES, make_project, override

BASES = BaseImages("a-python", "a-database")


def needs(*programs: str, answering: tuple[str, ...] = (), is_root: bool = True) -> Needs:
    """A machine with these programs; ``answering`` are the second words of what ends well."""
    return Needs(
        lambda name: f"/bin/{name}" if name in programs else None,
        lambda command: command[1] in answering,
        is_root,
    )


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (needs(), ["docker.io", "docker-compose", "dockerd", "debootstrap"]),
        (
            needs("docker", "docker-compose", "dockerd", is_root=False),
            ["start dockerd", "debo", "root,"],
        ),
        (needs("docker", "dockerd", "debootstrap"), ["docker compose or docker-compose"]),
        (needs("docker", "docker-compose", answering=("info",)), ["debootstrap"]),
        (needs("docker", "docker-compose", "dockerd", "debootstrap"), []),
        (needs("docker", "debootstrap", answering=("info", "compose")), []),
    ],
)
def test_what_is_missing_is_named_and_nothing_else(machine: Needs, words: list[str]) -> None:
    missing = machine.missing(stand_ins=True)
    assert len(missing) == len(words)
    assert all(word in line for word, line in zip(words, missing, strict=True))


def test_with_images_that_are_named_neither_root_nor_debootstrap_is_needed() -> None:
    machine = needs("docker", "docker-compose", answering=("info",), is_root=False)
    assert machine.missing(stand_ins=False) == []
    assert named_images({"PYTHON_IMAGE": "p", "DATABASE_IMAGE": "d"}) == BaseImages("p", "d")
    assert named_images({"PYTHON_IMAGE": "p"}) is None


def test_compose_v2_goes_before_v1() -> None:
    both = needs("docker", "docker-compose", answering=("compose",))
    assert both.compose() == ("docker", "compose")
    assert needs("docker", "docker-compose").compose() == ("docker-compose",)


def test_the_command_says_what_is_missing_and_ends_with_a_status_of_its_own(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tools.image_test"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == CANNOT_TEST
    assert "image-test cannot run: missing here:" in run.stderr
    assert "- docker, the client" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_engine_that_does_not_start_is_told_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "dockerd", "echo no storage driver fits; exit 1")
    script(tmp_path / "docker", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with (
        pytest.raises(CannotTestError, match="no storage driver fits"),
        engine_for_test(needs("docker", "docker-compose"), tmp_path),
    ):
        pass


def test_pips_settings_become_build_arguments(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    listing = (
        f"global.find-links='/elsewhere'\n:env:.find-links='{wheels}'\n:env:.timeout='9'\n"
        "global.extra-index-url='file:///srv/index/simple https://mirror.invalid/simple'\n"
        "global.cert='/etc/ssl/some.crt'\n"
    )
    served: list[Path] = []

    def serve(folder: Path) -> str:
        served.append(folder)
        return f"http://here/{len(served)}"

    assert build_arguments(read_settings(listing), serve) == {
        "PIP_EXTRA_INDEX_URL": "http://here/1/simple https://mirror.invalid/simple",
        "PIP_FIND_LINKS": "http://here/2/",
        "PIP_CERT": "/etc/ssl/some.crt",
    }
    assert served == [Path("/srv/index"), wheels]


def test_a_folder_is_served_while_it_is_needed_and_no_longer(tmp_path: Path) -> None:
    (tmp_path / "one.whl").write_text("content")
    with served_folders() as serve:
        url = serve(tmp_path)
        assert "one.whl" in httpx2.get(f"{url}/").text
        assert httpx2.get(f"{url}/one.whl").text == "content"
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{url}/one.whl")


def test_the_override_names_services_volumes_and_arguments_that_exist() -> None:
    """What it names otherwise would be made anew, beside what is to be tested."""
    document = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    changes = override(BASES, {"PIP_CERT": "x"})
    services, volumes = changes["services"], changes["volumes"]
    assert isinstance(services, dict)
    assert isinstance(volumes, dict)
    assert services.keys() == document["services"].keys() == set(SERVICES)
    assert volumes.keys() == document["volumes"].keys()
    own = {each["name"] for each in volumes.values()}
    assert not own & {each["name"] for each in document["volumes"].values()}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for argument in services["facegate"]["build"]["args"]:
        assert f"ARG {argument}" in dockerfile


def test_compose_hears_of_the_test_and_not_of_the_callers_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = script(tmp_path / "compose", 'echo "$@"; env | grep -E "FACEGATE|COMPOSE" | sort')
    monkeypatch.setenv("FACEGATE_RUNTIME", "torchscript")
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "precious")
    project = make_project(Engine((str(compose),)), tmp_path, BASES, {})
    said = project.compose("down", "--volumes")
    assert f"--project-name {NAME} " in said
    assert "FACEGATE_RUNTIME" not in said
    assert "precious" not in said
    assert f"FACEGATE_PUBLISH_PORT={project.port}" in said
    assert inherited({"FACEGATE_X": "", "COMPOSE_FILE": "", "PATH": "p"}) == {"PATH": "p"}


def test_a_container_that_ends_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "docker", "echo exited")
    compose = script(tmp_path / "compose", 'case "$*" in *logs*) echo the reason ;; esac')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    project = make_project(Engine((str(compose),)), tmp_path, BASES, {})
    with pytest.raises(ImageFaultError, match=r"(?s)exited.*the reason"):
        project.start()


@pytest.mark.parametrize("written", ["", "echo writable"])
@pytest.mark.parametrize("user", ["0", "10001"])
def test_root_and_a_root_folder_that_can_be_written_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str, written: str
) -> None:
    script(tmp_path / "docker", f"echo {user}; {written or 'true'}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    compose = script(tmp_path / "compose", "echo container")
    project = make_project(Engine((str(compose),)), tmp_path, BASES, {})
    if (user, written) == ("10001", ""):
        project.check_confinement()
    else:
        with pytest.raises(ImageFaultError, match="runs as user"):
            project.check_confinement()


def test_an_image_above_the_limit_fails() -> None:
    check_size(MAX_BYTES)
    with pytest.raises(ImageFaultError, match=r"1\.30 GB"):
        check_size(MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("text", "status", "is_right"),
    [
        ("ERROR app - the service cannot start: torch is not here", 2, True),
        ("ready", 0, False),
        ("Traceback\nModuleNotFoundError: torch", 1, False),
        ("Traceback\nthe service cannot start: torch", 2, False),
    ],
)
def test_torchs_runtime_must_be_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, status: int, is_right: bool
) -> None:
    script(tmp_path / "docker", f"printf '{text}\\n'; exit {status}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if is_right:
        assert check_refusal(Engine(("compose",)), "image") == text
    else:
        with pytest.raises(ImageFaultError):
            check_refusal(Engine(("compose",)), "image")


@contextmanager
def answering(status: int, body: dict[str, object]) -> Iterator[httpx2.Client]:
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(status, json=body))
    with httpx2.Client(base_url="http://service", transport=transport) as client:
        yield client


def test_an_answer_other_than_the_expected_is_a_fault() -> None:
    known: dict[str, object] = {"decision": "known", "employee": {"employee_id": "person-01"}}
    unknown: dict[str, object] = {"decision": "unknown", "employee": None}
    with answering(200, known) as client:
        require(client, "person-01/4.jpg", "known", "person-01")
        with pytest.raises(ImageFaultError, match="known, person-01"):
            require(client, "person-02/1.jpg", "unknown", None)
        with pytest.raises(ImageFaultError):
            require(client, "person-02/1.jpg", "known", "person-02")
    with answering(200, unknown) as client, pytest.raises(ImageFaultError):
        require(client, "person-01/4.jpg", "known", "person-01")
    with answering(503, {}) as client, pytest.raises(ImageFaultError, match="503"):
        require(client, "person-01/4.jpg", "known", "person-01")


def test_an_enrollment_that_leaves_a_photo_out_is_a_fault() -> None:
    with answering(201, {"enrolled_count": 2}) as client:
        enroll(client, "person-01", ("1.jpg", "2.jpg"))
        with pytest.raises(ImageFaultError):
            enroll(client, "person-01", ("1.jpg", "2.jpg", "3.jpg"))


def script(path: Path, commands: str) -> Path:
    """Write a program that stands for one that is not here."""
    path.write_text(f"#!/bin/sh\n{commands}\n", encoding="utf-8")
    path.chmod(0o755)
    return path
