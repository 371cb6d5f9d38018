"""House laws about the files of the repository, whatever their kind."""

from __future__ import annotations

import re

from tests.architecture.source_tree import ROOT, tracked_files

MAX_FILE_BYTES = 16_000_000

#: Folders of one person's machine, and of this one. Put together here, so that this file, which
#: is tracked too, does not name them.
MACHINE_PATHS = re.compile(
    r"(?<![\w.~/-])/(?:" + "|".join(["work", "root", "home", "Users"]) + r")/[\w.-]+"
    r"|[A-Z]:\\Users\\"
)
#: What says how the project is built and run.
BUILD_FILES = (
    ".ci/python",
    ".ci/run",
    ".github/workflows/test.yml",
    ".pre-commit-config.yaml",
    "Dockerfile",
    "Makefile",
    "constraints.txt",
    "docker-compose.yml",
    "pyproject.toml",
    ".env.example",
)


def test_no_file_names_a_folder_of_one_machine() -> None:
    """A path of somebody's machine works nowhere else, and tells who wrote it."""
    offenders = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        text = content.decode("utf-8", errors="replace")
        for match in MACHINE_PATHS.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            offenders.append(f"{path.relative_to(ROOT)}:{line} {match.group()}")
    assert not offenders


def test_no_file_is_too_large_for_a_clone() -> None:
    """Every clone carries every version for ever; the weights of a model fit in 16 MB."""
    offenders = {
        str(path.relative_to(ROOT)): size
        for path in tracked_files()
        if (size := path.stat().st_size) > MAX_FILE_BYTES
    }
    assert not offenders


def test_no_step_of_the_set_up_names_a_host() -> None:
    """Mirrors and closed networks are common where doors are guarded; pip knows where to look.

    A host written into a build file is one that such a place cannot reach.
    """
    offenders = [
        f"{name}: {url}"
        for name in BUILD_FILES
        for url in re.findall(r"https?://[^\s\"'/]+", (ROOT / name).read_text(encoding="utf-8"))
        if not re.match(r"https?://(?:127\.0\.0\.1|localhost)\b", url)
    ]
    assert not offenders
