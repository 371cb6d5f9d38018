"""constraints.txt holds one fitting version of everything that pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.dockerfile import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.lstrip().startswith("#")
]
PYTHONS = [each.rpartition(" ")[2] for each in PROJECT["classifiers"]]
ASKED = [
    Requirement(text)
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in texts
]


def pins(python: str) -> dict[str, str]:
    """Return the versions for one Python on Linux; two for one package are a fault."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    found: dict[str, str] = {}
    for line in map(Requirement, LINES):
        if line.marker is None or Marker(str(line.marker)).evaluate(environment):
            (specifier,) = line.specifier
            name = canonicalize_name(line.name)
            assert name not in found, line
            found[name] = specifier.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_has_one_version_that_fits(python: str) -> None:
    locked = pins(python)
    for requirement in ASKED:
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name}: run `make lock`"
        assert requirement.specifier.contains(locked[name]), f"{name}: run `make lock`"


def test_every_line_is_an_exact_version_of_no_local_build() -> None:
    """Another build of the same version (torch for a CPU, say) must fit the same line."""
    for line in LINES:
        assert re.match(r"[a-z0-9.-]+==[0-9][^ +@]*( ; .*)?$", line), line


def test_pip_itself_is_not_pinned() -> None:
    """An install would replace the pip that runs it."""
    assert "pip" not in pins(PYTHONS[0])


def test_the_lock_begins_at_the_oldest_python_that_is_claimed() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert (
        f"uv pip compile pyproject.toml --quiet --universal --python-version {oldest} " in makefile
    )
