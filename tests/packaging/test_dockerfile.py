"""Without an engine (`make image-test` has one) it is linted and what it calls is looked for."""

from __future__ import annotations

import ast
import fnmatch
import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.dockerfile import ROOT, read_stages
from tools.image_test.package_index import CERTIFICATES, LISTS, argument_name

STAGES = read_stages()
SERVICE = STAGES[-1]
STAGE = {stage.name: stage for stage in STAGES}


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
    """The last pattern that matches a path or a folder above it decides, as engines do."""
    sent = True
    places = [name, *(str(folder) for folder in PurePosixPath(name).parents)]
    for pattern in patterns:
        if fnmatch.filter(places, pattern.removeprefix("!")):
            sent = pattern.startswith("!")
    return sent


def test_stages_copy_only_from_stages_before_them() -> None:
    earlier: set[str] = set()
    for stage in STAGES:
        for rest in stage.all_of("COPY"):
            if match := re.match(r"--from=(\S+)", rest):
                assert match.group(1) in earlier
        earlier.add(stage.name)


def test_the_lists_of_requirements_are_the_projects_with_torch_apart(tmp_path: Path) -> None:
    """Run the very command of the first stage, on this project's file."""
    (command,) = STAGE["requirements"].all_of("RUN")
    here = command.replace("python -c", f"{sys.executable} -c").replace(
        "/pyproject.toml", "project"
    )
    here = re.sub(r"/(\w+\.txt)", r"\1", here)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "project")
    subprocess.run(["sh", "-c", here], check=True, cwd=tmp_path)
    serving, converting = (
        (tmp_path / name).read_text(encoding="utf-8").splitlines()
        for name in ("serving.txt", "converting.txt")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(serving + converting) == sorted(project["dependencies"])
    assert converting == ["torch==2.13.0"]


def test_torch_is_in_a_stage_that_only_converted_files_leave() -> None:
    installing = {stage.name for stage in STAGES if "/converting.txt" in str(stage.all_of("RUN"))}
    assert installing == {"requirements", "converter"}
    based = [stage.name for stage in STAGES if stage.all_of("FROM")[0].startswith("converter ")]
    assert not based
    taken = [
        (stage.name, rest)
        for stage in STAGES
        for rest in stage.all_of("COPY")
        if rest.startswith("--from=converter ")
    ]
    assert taken == [("service", "--from=converter /prepared ./")]


def test_nothing_else_of_the_project_needs_torch() -> None:
    """Or pip would bring torch back into the image, with a dependency that asks for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(each) for each in project["dependencies"] if "torch" not in each]
    seen: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        assert name not in {"torch", "torchvision"}
        if name in seen:
            continue
        seen.add(name)
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            extras = [*requirement.extras, ""]
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                wanted.append(needed)
    assert {"numpy", "openvino", "sqlalchemy"} <= seen


def test_pips_settings_are_arguments_where_pip_installs_dependencies() -> None:
    for name in ("dependencies", "converter"):
        given = set(STAGE[name].all_of("ARG"))
        assert {argument_name(each) for each in (*LISTS, CERTIFICATES)} <= given, "none has a value"


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
    valued = [rest for stage in STAGES for rest in stage.all_of("ARG") if "=" in rest]
    assert valued == ['TORCH_INDEX_URL=""']
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
    (install, own) = STAGE["dependencies"].all_of("RUN")
    assert "--constraint /constraints.txt -r /serving.txt" in install
    assert "constraints.txt" in STAGE["dependencies"].all_of("COPY")[0]
    assert "--no-deps /metadata" in own
    (install, _convert) = STAGE["converter"].all_of("RUN")
    assert "--constraint /constraints.txt -r /converting.txt" in install


def test_the_image_holds_the_metadata_that_names_the_version() -> None:
    """The image runs the sources, and its dependencies' stage has the project without its code.

    What the build of that metadata reads must be there, or the service calls itself "unknown".
    """
    copied = [
        sources
        for sources, target in STAGE["dependencies"].context_copies()
        if target == "/metadata/"
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {"pyproject.toml", project["readme"], *project["license-files"]}
    assert [set(sources) for sources in copied] == [needed]
