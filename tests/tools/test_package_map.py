"""ARCHITECTURE.md has one line for every folder, and the line is the package's own docstring.

A map that is kept by hand is wrong within a month; this one is compared with the code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.package_map import ROOT, PackageMapError, first_line, packages, table, table_in


def test_the_map_is_what_the_packages_say() -> None:
    document = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert table_in(document) == table(), f"`make map` writes the right one:\n{table()}"


@pytest.mark.parametrize("package", packages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_line_of_the_map_is_one_short_sentence(package: Path) -> None:
    line = first_line(package)
    assert line.endswith(".")
    assert len(line) <= 94


def test_a_package_without_a_docstring_has_no_place_in_the_map(tmp_path: Path) -> None:
    for folder in ("app", "app/inner", "training"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('"""A line.\n\nMore."""\n', encoding="utf-8")
    assert table(tmp_path).splitlines()[2:] == [
        "| `app/` | A line. |",
        "| `app/inner/` | A line. |",
        "| `training/` | A line. |",
    ]
    (tmp_path / "app" / "inner" / "__init__.py").write_text("", encoding="utf-8")
    with pytest.raises(PackageMapError, match="inner"):
        table(tmp_path)


def test_a_document_without_the_table_is_refused() -> None:
    with pytest.raises(PackageMapError):
        table_in("# Architecture\n")
