"""The version stands in one place, and the changelog speaks of it."""

from __future__ import annotations

import datetime
import re
import tomllib
from importlib import metadata
from itertools import pairwise

from app.main import create_app, installed_version
from app.settings import Settings
from tests.packaging.dockerfile import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
VERSION = str(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
)


def test_openapi_names_the_version_of_the_packages_metadata() -> None:
    assert create_app(Settings()).openapi()["info"]["version"] == metadata.version("facegate")
    assert installed_version() == metadata.version("facegate")


def test_no_module_repeats_the_version() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for folder in ("app", "training", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(rf"[\"']{re.escape(VERSION)}[\"']", path.read_text(encoding="utf-8"))
    ]
    assert not offenders


def test_releases_have_a_number_a_date_and_a_commit_newest_first() -> None:
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d) \([0-9a-f]{7}\)", heading)
        for heading in headings[1:]
    ]
    numbers = [tuple(map(int, match.groups()[:3])) for match in released if match]
    dates = [datetime.date.fromisoformat(match[4]) for match in released if match]
    assert len(numbers) == len(headings) - 1
    assert ".".join(map(str, numbers[0])) == VERSION
    assert all(newer > older for newer, older in pairwise(numbers))
    assert all(newer >= older for newer, older in pairwise(dates))


def test_an_entry_is_one_line() -> None:
    entries = CHANGELOG.split("\n## ", 1)[1].splitlines()[1:]
    for line in entries:
        assert not line or line.startswith(("- ", "### ", "## ")), line
        assert len(line) <= 240, line
