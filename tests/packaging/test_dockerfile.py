"""No engine runs here, so the Dockerfile is linted and whatever it calls is looked for."""

from __future__ import annotations

import ast
import fnmatch
import importlib.util
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from tests.packaging.dockerfile import ROOT, read_stages

STAGES = read_stages()
SERVICE = STAGES[-1]


def test_hadolint_has_no_complaint() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    run = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_everything_that_is_copied_exists_and_reaches_the_engine() -> None:
    ignored = dockerignore_patterns()
    for stage in STAGES:
        for sources, _ in stage.context_copies():
            for source in sources:
                assert (ROOT / source).exists(), source
                assert is_sent(source, ignored), f".dockerignore keeps {source} back"


def test_nothing_private_reaches_the_engine() -> None:
    ignored = dockerignore_patterns()
    for private in (".env", ".git", ".venv", "data", "runs", "tests", "training"):
        assert not is_sent(private, ignored), private


def dockerignore_patterns() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_sent(name: str, patterns: list[str]) -> bool:
    """The last matching pattern decides, as the engine's rules say."""
    sent = True
    for pattern in patterns:
        if fnmatch.fnmatchcase(name, pattern.removeprefix("!")):
            sent = pattern.startswith("!")
    return sent


def test_stages_copy_only_from_stages_before_them() -> None:
    earlier: set[str] = set()
    for stage in STAGES:
        for rest in stage.all_of("COPY"):
            if match := re.match(r"--from=(\S+)", rest):
                assert match.group(1) in earlier
        earlier.add(stage.name)


def test_the_list_of_requirements_is_the_projects(tmp_path: Path) -> None:
    """Run the very command of the first stage, on this project's file."""
    (command,) = STAGES[0].all_of("RUN")
    code = re.fullmatch(r'python -c "(.*)" > /requirements\.txt', command)
    assert code is not None
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            code.group(1).replace("/pyproject.toml", str(ROOT / "pyproject.toml")),
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run.stdout.splitlines() == project["dependencies"]
    assert "torch==2.13.0" in run.stdout.splitlines()


def test_the_image_runs_a_python_that_the_project_supports() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    image = re.search(r"^ARG PYTHON_IMAGE=python:(\d+)\.(\d+)-slim", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"])
    assert image is not None
    assert oldest is not None
    assert tuple(map(int, image.groups())) >= tuple(map(int, oldest.groups()))


def test_the_service_runs_as_a_fixed_user_without_rights() -> None:
    assert SERVICE.all_of("USER") == ["10001:10001"]
    assert "install -d -o 10001 -g 10001 /data" in SERVICE.all_of("RUN")[0]
    last = [each.keyword for each in SERVICE.instructions]
    assert last.index("USER") > max(i for i, keyword in enumerate(last) if keyword == "RUN")


def test_the_image_holds_no_secret_and_names_no_index() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert STAGES[1].all_of("ARG") == ['TORCH_INDEX_URL=""']
    assert not re.search(r"(?i)^\s*(?:ENV|ARG)?\s*\w*(?:KEY|PASSWORD|TOKEN|SECRET)\w*=", text, re.M)


def test_the_command_and_the_health_check_can_be_run() -> None:
    python, flag, module = SERVICE.exec_form("CMD")
    assert (python, flag) == ("python", "-m")
    assert importlib.util.find_spec(f"{module}.__main__") is not None
    python, flag, code = SERVICE.exec_form("HEALTHCHECK")
    assert (python, flag) == ("python", "-c")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= sys.stdlib_module_names
    assert {"FACEGATE_HOST", "FACEGATE_PORT", "FACEGATE_DATA_DIR"} <= SERVICE.environment().keys()


def test_the_image_installs_what_the_lock_says() -> None:
    (install, metadata) = STAGES[1].all_of("RUN")
    assert "--constraint /constraints.txt -r /requirements.txt" in install
    assert "constraints.txt" in STAGES[1].all_of("COPY")[0]
    assert "--no-deps /metadata" in metadata


def test_the_image_holds_the_metadata_that_names_the_version() -> None:
    """The image runs the sources, and its dependencies' stage has the project without its code.

    What the build of that metadata reads must be there, or the service calls itself "unknown".
    """
    copied = [sources for sources, target in STAGES[1].context_copies() if target == "/metadata/"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {"pyproject.toml", project["readme"], *project["license-files"]}
    assert [set(sources) for sources in copied] == [needed]
