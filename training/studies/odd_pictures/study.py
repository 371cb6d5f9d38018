"""Whether odd pictures open doors: what is refused of them, and who is matched by the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.domain.policy import RiskPolicy
from training.data.odd_pictures.kinds import chosen_kinds
from training.evaluation.served import DEFAULT_TARGETS
from training.studies.odd_pictures.people import cast_from_data, cast_of_invented
from training.studies.odd_pictures.results import OddPictures
from training.studies.odd_pictures.served import ServedPictures
from training.studies.odd_pictures.tables import fault_lines, sheets_of
from training.studies.odd_pictures.trial import GALLERIES, try_kinds


def run(
    data: Path,
    model: Path,
    *,
    people: int = 60,
    kinds: str | None = None,
    galleries: Sequence[int] = GALLERIES,
    invented: bool = False,
    tell: Callable[[str], None] = print,
) -> OddPictures:
    """Show odd pictures to the service: what is refused, and do strangers match by what is not.

    ``people`` of odd pictures of each kind; ``kinds``: parts of kinds' names, told apart by commas,
    all without; ``galleries``: people enrolled at each door; ``invented``: a quick look at people
    who do not exist.
    """
    chosen = chosen_kinds(kinds)
    served = ServedPictures(model)
    policy = RiskPolicy(served.manifest, DEFAULT_TARGETS)
    worst = policy.verify(photos=1).threshold.population
    cast = (
        cast_of_invented(people, served.vision)
        if invented
        else cast_from_data(data, worst, people, max(galleries), served.vision)
    )
    return try_kinds(served, policy, cast, chosen, galleries, tell)


tables = sheets_of
faults = fault_lines
