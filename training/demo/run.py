"""Enrolls invented people over HTTP, shows the service their other photos and strangers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx2
import numpy as np
from rich.console import Console
from rich.table import Table

from training.data.invented_people import (
    ENROLLED_COUNT,
    ENROLLED_PHOTOS,
    InventedPerson,
    invented_people,
)
from training.demo.service import running_service
from training.foundation.arrays import ByteImage

GREEN, RED = (80, 160, 40), (50, 50, 210)
TILE = 150
GREY = (90, 90, 90)
LEGEND_HEIGHT = 40
LEGEND = (
    "What the service answered: an id, or unknown. Green: right, red: wrong.",
    "s: similarity to the nearest, p: probability of the answer",
)


@dataclass(frozen=True)
class Verdict:
    """What the service said of one photo, and what it should have said."""

    photo: Path
    truth: str | None
    decided: str | None
    similarity: float
    probability: float
    box: tuple[float, float, float, float]

    @property
    def right(self) -> bool:
        """Whether the decision is the truth."""
        return self.decided == self.truth


def run_demo(picture: Path, console: Console) -> bool:
    """Run the demonstration; print a table, save ``picture``; say whether all was right."""
    people = invented_people()
    enrolled, strangers = people[:ENROLLED_COUNT], people[ENROLLED_COUNT:]
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as service:
        console.print(f"service ready after {service.start_seconds:.1f} s at {service.url}")
        with httpx2.Client(base_url=service.url, timeout=60.0) as client:
            for person in enrolled:
                _enroll(client, person)
            verdicts = [
                _verify(client, photo, person.name)
                for person in enrolled
                for photo in person.photos[ENROLLED_PHOTOS:]
            ]
            verdicts += [
                _verify(client, photo, None) for person in strangers for photo in person.photos
            ]
            threshold = float(client.get("/v1/model").json()["identify"]["similarity"])
    _print(verdicts, threshold, console)
    picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), contact_sheet(verdicts))
    console.print(f"picture: {picture}")
    return all(verdict.right for verdict in verdicts)


def _enroll(client: httpx2.Client, person: InventedPerson) -> None:
    files = [("photos", (p.name, p.read_bytes())) for p in person.photos[:ENROLLED_PHOTOS]]
    fields = {"employee_id": person.name, "full_name": f"Invented {person.name}"}
    answer = client.post("/v1/enroll", data=fields, files=files)
    answer.raise_for_status()
    rejected = answer.json()["rejected_count"]
    if rejected:
        raise RuntimeError(f"{person.name}: {rejected} photos were rejected: {answer.text}")


def _verify(client: httpx2.Client, photo: Path, truth: str | None) -> Verdict:
    answer = client.post("/v1/verify", files={"photo": (photo.name, photo.read_bytes())})
    answer.raise_for_status()
    body = answer.json()
    box = body["face"]["box"]
    return Verdict(
        photo,
        truth,
        body["employee"]["employee_id"] if body["employee"] else None,
        float(body["similarity"]),
        float(body["probability"]),
        (box["x"], box["y"], box["width"], box["height"]),
    )


def _print(verdicts: Sequence[Verdict], threshold: float, console: Console) -> None:
    table = Table(title=f"similarity threshold {threshold:.3f}")
    for column in ("photo", "is", "decided", "similarity", "probability", ""):
        table.add_column(column)
    for verdict in verdicts:
        table.add_row(
            f"{verdict.photo.parent.name}/{verdict.photo.name}",
            verdict.truth or "stranger",
            verdict.decided or "unknown",
            f"{verdict.similarity:.3f}",
            f"{verdict.probability:.4f}",
            "[green]right[/]" if verdict.right else "[red]WRONG[/]",
        )
    console.print(table)
    genuine = [v for v in verdicts if v.truth is not None]
    strangers = [v for v in verdicts if v.truth is None]
    console.print(
        f"{sum(v.right for v in genuine)} of {len(genuine)} photos of enrolled people known, "
        f"{sum(v.right for v in strangers)} of {len(strangers)} photos of strangers unknown; "
        f"lowest genuine similarity {min(v.similarity for v in genuine):.3f}, "
        f"highest of a stranger {max(v.similarity for v in strangers):.3f}"
    )


def contact_sheet(verdicts: Sequence[Verdict], columns: int = 10) -> ByteImage:
    """Return all faces with their verdicts, as one BGR picture; a right one has a green frame.

    A legend stands below.
    """
    tiles = [_tile(verdict) for verdict in verdicts]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack([*rows, _legend(rows[0].shape[1])])


def _legend(width: int) -> ByteImage:
    strip = np.full((LEGEND_HEIGHT, width, 3), 255, np.uint8)
    for number, line in enumerate(LEGEND):
        place = (6, 16 + 16 * number)
        cv2.putText(strip, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, GREY, 1, cv2.LINE_AA)
    return strip


def _tile(verdict: Verdict) -> ByteImage:
    picture = cv2.imread(str(verdict.photo))
    if picture is None:
        raise FileNotFoundError(str(verdict.photo))
    x, y, width, height = verdict.box
    reach = max(width, height) * 0.75
    centre_x, centre_y = x + width / 2, y + height / 2
    corner = np.asarray([[centre_x - reach, centre_y - reach]], dtype=np.float64)
    scale = TILE / (2 * reach)
    matrix = np.hstack([np.eye(2) * scale, -scale * corner.T])
    face = cv2.warpAffine(picture, matrix, (TILE, TILE), borderMode=cv2.BORDER_REPLICATE)
    colour = GREEN if verdict.right else RED
    cv2.rectangle(face, (0, 0), (TILE - 1, TILE - 1), colour, 4)
    caption = np.full((36, TILE, 3), 255, np.uint8)
    lines = (
        verdict.decided or "unknown",
        f"s {verdict.similarity:.2f} p {verdict.probability:.3f}",
    )
    for number, line in enumerate(lines):
        place = (6, 14 + 16 * number)
        cv2.putText(caption, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    return np.vstack([face, caption]).astype(np.uint8)
