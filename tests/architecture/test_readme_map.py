"""README's map has one line for every module, and the line is the module's own first sentence.

A map that is kept by hand is wrong within a month; this one is compared with the code.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def first_sentence(path: Path) -> str:
    """Return the first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    return "" if docstring is None else docstring.splitlines()[0]


def map_lines() -> list[str]:
    """Return the lines that README must hold, in order."""
    modules = [
        path
        for package in ("app", "training", "migrations")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py"
    ]
    return [f"- `{path.relative_to(ROOT)}`: {first_sentence(path)}" for path in modules]


def test_readme_has_a_line_for_every_module() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    assert [line for line in readme if line.startswith(("- `app/", "- `training/", "- `mig"))] == (
        map_lines()
    )
