"""Empty pictures in one style: no global state of matplotlib is read or left behind.

The colours are those of Okabe and Ito ("Color Universal Design", 2008), which colour-blind eyes
tell apart; nothing is told by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, SKY = "#0072B2", "#D55E00", "#009E73", "#56B4E9"
YELLOW, PURPLE, BLACK, GREY = "#E69F00", "#CC79A7", "#222222", "#8a8a8a"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, BLACK, "#6b4c9a")
MARKERS = "osD^vP*X"
DOTS_PER_INCH = 110


@dataclass(frozen=True)
class Drawn:
    """A picture that was saved, with what a reader has to know to read it."""

    path: Path
    title: str
    caption: str


def new_figure(width: float, height: float, *, arranged: bool = True) -> Figure:
    """Return an empty figure of so many inches, drawn by Agg and known to nobody else.

    ``arranged``: matplotlib finds room for titles and labels, which takes seconds for many axes.
    """
    layout: Literal["constrained"] | None = "constrained" if arranged else None
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def plain_axes(figure: Figure, rows: int = 1, columns: int = 1, place: int = 1) -> Axes:
    """Return axes with a light grid and no frame above and to the right."""
    return light_grid(figure.add_subplot(rows, columns, place))


def light_grid(axes: Axes) -> Axes:
    """Give axes a light grid and no frame above and to the right; return them."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def save_figure(figure: Figure, path: Path, title: str, caption: str) -> Drawn:
    """Write the PNG, then drop what the figure holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format="png", facecolor="white", metadata={"Software": None})
    partial.replace(path)
    figure.clear()
    return Drawn(path, title, caption)


def shortened(text: str, max_letters: int = 22) -> str:
    """Return the text, its middle left out where it is longer than ``max_letters`` characters."""
    if len(text) <= max_letters:
        return text
    head = (max_letters - 1) // 2
    return f"{text[:head]}…{text[len(text) - (max_letters - 1 - head) :]}"
