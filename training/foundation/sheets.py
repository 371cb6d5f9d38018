"""Tables of text, for a terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Sheet:
    """A table by itself: the caption, the head and the rows, all text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def print_sheets(sheets: list[Sheet], console: Console) -> None:
    """Print tables to a terminal."""
    for sheet in sheets:
        table = Table(title=sheet.title, title_justify="left")
        for column in sheet.head:
            table.add_column(column)
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)


def markdown(sheet: Sheet) -> str:
    """Return a table in Markdown, without its caption."""
    lines = [sheet.head, tuple("---" for _ in sheet.head), *sheet.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sheets_markdown(sheets: Sequence[Sheet]) -> str:
    """Return tables in Markdown, each under its caption."""
    return "\n\n".join(f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in sheets) + "\n"
