"""What decides every training run, whatever it learns; recipes add the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from pydantic import Field, ValidationError

from training.foundation.errors import CheckpointError
from training.foundation.precision import AUTO, WantedPrecision, chosen_precision
from training.foundation.records import Record


class RunRecipe(Record):
    """Length, seed, log and validation of a run, and in what it calculates.

    ``ema_decay`` keeps a moving average of the network's weights, which is then what is judged and
    shipped. ``evaluate_every`` is the number of steps between validations; without it there are
    none, and checkpoints follow the clock. ``patience`` counts validations without a better score
    before a run stops early. ``precision`` follows from the device unless it is named; a run's own
    record always names it.
    """

    name: str
    seed: int = 20261122
    steps: int = Field(gt=0)
    log_every: int = Field(default=20, gt=0)
    evaluate_every: int | None = Field(default=None, gt=0)
    patience: int | None = Field(default=None, gt=0)
    ema_decay: float | None = Field(default=None, gt=0, lt=1)
    precision: WantedPrecision = AUTO

    def on(self, device: torch.device) -> Self:
        """Return the recipe with the precision that ``device`` calculates it in named.

        Raises ``DataError`` where it names one that the device would have to emulate.
        """
        precision = chosen_precision(self.precision, device)
        return self.model_copy(update={"precision": precision.value})


def changed_keys(before: RunRecipe, now: RunRecipe) -> list[str]:
    """Return every key in which two recipes differ, with both values, in the order of their keys.

    A table that the other recipe has not is one change.
    """
    return list(_changes(before.model_dump(mode="json"), now.model_dump(mode="json"), ""))


def _changes(before: object, now: object, place: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*before, *now)):
            inner = f"{place}.{key}" if place else str(key)
            yield from _changes(before.get(key), now.get(key), inner)
    elif before != now:
        yield f"{place} was {json.dumps(before)} and is {json.dumps(now)}"


Kind = TypeVar("Kind", bound=RunRecipe)


def recipe_in(state: Mapping[str, Any], kind: type[Kind], path: Path) -> Kind:
    """Return the recipe of a checkpoint's ``state``, which was read from ``path``.

    Raises ``CheckpointError`` where another kind of run made it.
    """
    try:
        return kind.model_validate(state["recipe"])
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(map(str, found["loc"]))
        raise CheckpointError(
            f"{path} was made by another kind of run: its recipe is no {kind.__name__} "
            f"({where}: {found['msg']})"
        ) from error
