"""Under which licence each source's pictures and each teacher came, as the data's README says."""

from __future__ import annotations

from collections.abc import Iterable

RESEARCH = "research use only"
OPEN_SOURCES = {"fairface": "CC BY 4.0 (FairFace, Kärkkäinen and Joo, WACV 2021; YFCC-100M)"}
TEACHERS = {
    "face-reid-0095": "Apache-2.0 (Intel Open Model Zoo, face-reidentification-retail-0095)",
    "sface": "Apache-2.0 (OpenCV Zoo, SFace 2021dec)",
}


def licence_of(name: str) -> str:
    """Return the licence of a source or teacher; unknown sources count as research use only."""
    return OPEN_SOURCES.get(name) or TEACHERS.get(name) or RESEARCH


def weights_licence(sources: Iterable[str], start: str | None = None) -> str:
    """Return what may be said of weights made from these sources, and of whose they were first."""
    closed = [name for name in sources if name not in OPEN_SOURCES]
    if not closed:
        return (
            "**Licence.** Every picture they were trained on here is CC BY 4.0 and every teacher "
            f"Apache-2.0; {_first(start)}the weights are offered under Apache-2.0, with credit to "
            "FairFace. "
            "Thresholds and calibration were fitted on pictures for research use, which are not "
            "part of the weights."
        )
    return (
        f"**Licence.** The pictures of {', '.join(closed)} are for research use only, and the "
        "weights made from them are offered for research; the code is Apache-2.0. Recipe "
        "`native-open` trains from CC BY 4.0 pictures alone. Thresholds and calibration of any "
        "recipe were fitted on pictures for research use, which are not part of the weights."
    )


def _first(start: str | None) -> str:
    if start is None:
        return ""
    return (
        f"so are the weights of {start} that they started from, whose own pictures are not known "
        "in full; "
    )
