"""The state of a run as numbers, to hold a resumed one to an uninterrupted one bit for bit."""

from __future__ import annotations

from collections.abc import Mapping

import torch


def numbers_in(state: Mapping[str, object]) -> dict[str, torch.Tensor]:
    """Return every number of a run's state by name, but for the seconds that it took."""
    found: dict[str, torch.Tensor] = {}

    def collect(name: str, value: object) -> None:
        if isinstance(value, torch.Tensor):
            found[name] = value
        elif isinstance(value, dict):
            for key, part in value.items():
                collect(f"{name}.{key}", part)
        elif isinstance(value, list | tuple):
            for place, part in enumerate(value):
                collect(f"{name}.{place}", part)
        elif isinstance(value, int | float):
            found[name] = torch.tensor(value, dtype=torch.float64)

    collect("run", dict(state))
    del found["run.elapsed_seconds"]
    return found
