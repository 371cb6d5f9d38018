"""Tables of text, for a terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Sheet:
    """A table by itself: the caption, the head and the rows, all text.

    ``best`` names cells by row and column that are shown bold. A cell may have several lines.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()


def print_sheets(sheets: list[Sheet], console: Console) -> None:
    """Print tables to a terminal; what is too wide for it is folded, and nothing left out."""
    for sheet in sheets:
        table = Table(title=Text(sheet.title), title_justify="left")
        for column in sheet.head:
            table.add_column(Text(column), overflow="fold")
        for place, row in enumerate(sheet.rows):
            cells = [
                Text(cell, style="bold" if (place, column) in sheet.best else "")
                for column, cell in enumerate(row)
            ]
            table.add_row(*cells)
        console.print(table)


def markdown(sheet: Sheet) -> str:
    """Return a table in Markdown, without its caption."""
    rows = [
        tuple(
            _markdown_cell(cell, bold=(place, column) in sheet.best)
            for column, cell in enumerate(row)
        )
        for place, row in enumerate(sheet.rows)
    ]
    lines = [sheet.head, tuple("---" for _ in sheet.head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sheets_markdown(sheets: Sequence[Sheet]) -> str:
    """Return tables in Markdown, each under its caption."""
    return "\n\n".join(f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in sheets) + "\n"


def _markdown_cell(cell: str, *, bold: bool) -> str:
    line = " ".join(cell.split("\n"))
    return f"**{line}**" if bold else line
