"""The README fits two screens, links lead somewhere, and commands that pages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from tests.packaging.dockerfile import ROOT
from training.cli.app import app as training_commands
from training.cli.studies import app as studies

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
MAX_README_LINES = 120
MAX_README_BYTES = 12_000


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_fits_two_screens() -> None:
    readme = text_of(ROOT / "README.md")
    assert readme.count("\n") <= MAX_README_LINES
    assert len(readme.encode()) <= MAX_README_BYTES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


def test_the_index_lists_every_page_of_the_folder() -> None:
    index = text_of(ROOT / "docs" / "README.md")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def test_the_page_of_training_lists_every_study() -> None:
    text = text_of(ROOT / "docs" / "training.md")
    table = text[text.index("| study |") :].split("\n\n", 1)[0]
    listed = [name for row in table.splitlines() for name in re.findall(r"`([a-z-]+)`", row)]
    assert set(listed) == set(getattr(get_command(studies), "commands", {}))


@pytest.mark.parametrize("name", ["README.md", "docs/training.md", "docs/performance.md"])
def test_every_command_that_a_page_names_exists(name: str) -> None:
    text = text_of(ROOT / name)
    commands = getattr(get_command(training_commands), "commands", {})
    for command in re.findall(r"python -m training ([a-z-]+)", text):
        assert command in commands, command
    known = getattr(get_command(studies), "commands", {})
    for study in re.findall(r"training study ([a-z-]+)", text):
        assert study in known, study
    targets = re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets, target
