"""The repository as the house laws see it: parsed modules and tracked files."""

from __future__ import annotations

import ast
import functools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class SourceModule:
    """A parsed Python file; ``name`` is its path from the repository's root."""

    name: str
    line_count: int
    tree: ast.Module

    def imported_modules(self) -> Iterator[tuple[str, int]]:
        """Yield every module imported anywhere in the file, dotted, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, node.lineno
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module, node.lineno
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno


@functools.cache
def modules_of(*folders: str) -> tuple[SourceModule, ...]:
    """Return the Python files below these folders, by name; a folder without any is a mistake."""
    found: list[SourceModule] = []
    for folder in folders:
        paths = sorted((ROOT / folder).rglob("*.py"))
        assert paths, f"no Python file in {folder}/"
        for path in paths:
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(ROOT).as_posix()
            found.append(SourceModule(name, text.count("\n"), ast.parse(text, name)))
    return tuple(found)


@functools.cache
def tracked_files() -> tuple[Path, ...]:
    """Return what a commit of this working tree would hold; skips the test outside of git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())
