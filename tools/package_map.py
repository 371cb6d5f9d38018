"""``python -m tools.package_map``: write the map of folders in ARCHITECTURE.md from docstrings.

A line for each of the four roots and for each folder directly in ``app`` and ``training``: the
first line of the package's docstring. Folders deeper down are described where they lie.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "ARCHITECTURE.md"
#: The packages whose folders are listed, in this order.
LISTED = ("app", "training")
HEADER = ("| folder | holds |", "|---|---|")


class PackageMapError(Exception):
    """A package has no docstring, or the document has no table to replace."""


def packages(root: Path = ROOT) -> list[Path]:
    """Return the folders of the map: each listed package, then the packages directly in it."""
    found: list[Path] = []
    for name in LISTED:
        inner = sorted(file.parent for file in (root / name).glob("*/__init__.py"))
        found += [root / name, *inner]
    return found


def first_line(package: Path) -> str:
    """Return the first line of a package's docstring.

    Raises:
        PackageMapError: the package has none.

    """
    file = package / "__init__.py"
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    if not docstring:
        raise PackageMapError(f"{file} has no docstring")
    return docstring.splitlines()[0]


def table(root: Path = ROOT) -> str:
    """Return the map as a Markdown table, without a line break at its end.

    Raises:
        PackageMapError: a package has no docstring.

    """
    rows = (
        f"| `{package.relative_to(root).as_posix()}/` | {first_line(package)} |"
        for package in packages(root)
    )
    return "\n".join((*HEADER, *rows))


def table_in(document: str) -> str:
    """Return the map that a document holds, as ``table`` writes it.

    Raises:
        PackageMapError: the document holds no such table.

    """
    lines = document.splitlines()
    if HEADER[0] not in lines:
        raise PackageMapError(f"the document has no line {HEADER[0]!r}")
    start = end = lines.index(HEADER[0])
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return "\n".join(lines[start:end])


def main() -> int:
    """Replace the table in ARCHITECTURE.md; print what is missing and return 1 if there is any."""
    try:
        document = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(document.replace(table_in(document), table()), encoding="utf-8")
    except PackageMapError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{DOCUMENT.name}: {len(packages())} folders")
    return 0


if __name__ == "__main__":
    sys.exit(main())
