"""One HTML file that holds everything: tables, pictures as data, environment and recipe."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from training.foundation.sheets import Sheet
from training.report.canvas import Drawn

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class ReportPage:
    """What a report shows; all text is escaped where it is put into the page."""

    title: str
    model: str
    sha256: str | None
    key_figures: Sequence[tuple[str, str]]
    notes: Sequence[str]
    sheets: Sequence[Sheet]
    pictures: Sequence[Drawn]
    environment: Mapping[str, str]
    recipe: str | None


def render_page(page: ReportPage) -> str:
    """Return the HTML; it asks no host for anything and runs no script."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [(drawn, _as_data(drawn.path)) for drawn in page.pictures]
    return environment.get_template(TEMPLATE).render(page=page, pictures=shown)


def _as_data(path: Path) -> str:
    """Return a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
