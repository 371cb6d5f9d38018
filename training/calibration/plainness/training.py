"""Trains the network of plainness on rendered crops: one loop, resumable to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from training.calibration.plainness.network import PlainFaceNetwork, planes_of
from training.calibration.plainness.pictures import RenderedCrops, usable
from training.foundation.arrays import ByteImage, IntArray
from training.foundation.checkpoints import load_checkpoint, save_checkpoint
from training.foundation.errors import CheckpointError, DataError

_WEIGHT_DECAY = 0.02
_WARM_UP = 0.05


@dataclass(frozen=True)
class Schedule:
    """How long the network is trained, and how fast it learns at most."""

    epochs: float = 6.0
    batch: int = 64
    learning_rate: float = 3e-3
    seed: int = 20261127
    steps_per_checkpoint: int = 250


def train(
    crops: RenderedCrops,
    schedule: Schedule,
    checkpoint: Path,
    *,
    left_out: tuple[str, ...] = (),
    tell: Callable[[str], object] = print,
) -> PlainFaceNetwork:
    """Return a network trained to tell plain crops from those of all families not ``left_out``.

    Goes on from ``checkpoint`` where that is of the same run, and gives the same weights, to the
    bit, as without a break. Raises ``CheckpointError`` where it is of another one.
    """
    rows = _balanced(crops, left_out)
    steps = max(1, round(schedule.epochs * len(rows) / schedule.batch))
    torch.manual_seed(schedule.seed)
    network = PlainFaceNetwork()
    # Which family a rendering is of is asked while training only: it says more than yes and no.
    kinds = nn.Linear(network.answer.in_features, len(crops.families))
    both = nn.ModuleList([network, kinds])
    optimiser = torch.optim.AdamW(
        both.parameters(), lr=schedule.learning_rate, weight_decay=_WEIGHT_DECAY
    )
    run = f"{schedule} {len(rows)} of {len(crops)} crops without {left_out}"
    first = _resumed(checkpoint, both, optimiser, run)
    network.train()
    loss = torch.zeros(())
    for step in range(first, steps):
        chosen, order = _batch(rows, step, schedule)
        for group in optimiser.param_groups:
            group["lr"] = schedule.learning_rate * _rate(step / steps)
        planes = planes_of(_varied(crops.images[chosen], order))
        family = torch.from_numpy(crops.family[chosen])
        features = network.features(planes.contiguous(memory_format=torch.channels_last))
        answer = network.answer(features).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(answer, (family == 0).float())
        loss = loss + F.cross_entropy(kinds(features), family)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % schedule.steps_per_checkpoint == 0 or step + 1 == steps:
            state = {"network": both.state_dict(), "optimiser": optimiser.state_dict()}
            save_checkpoint(checkpoint, {**state, "step": step + 1, "run": run})
            tell(f"step {step + 1} of {steps}: loss {float(loss.detach()):.4f}")
    return network.eval()


def _balanced(crops: RenderedCrops, left_out: tuple[str, ...]) -> IntArray:
    """Return the rows that train: what quality limits refuse is left out, and families weigh alike.

    Rows of a family of which fewer are left come up more often.
    """
    good = usable(crops.images)
    plain = np.flatnonzero(good & (crops.family == 0))
    odd = [
        np.flatnonzero(good & (crops.family == number))
        for number, name in enumerate(crops.families)
        if number and name not in left_out
    ]
    odd = [rows for rows in odd if len(rows)]
    if not len(plain) or not odd:
        raise DataError("no plain or no odd crop is sharp and light enough to be enrolled")
    share = max(1, len(plain) // len(odd))
    return np.concatenate([plain, *(np.resize(rows, share) for rows in odd)])


def _resumed(
    checkpoint: Path, network: nn.Module, optimiser: torch.optim.Optimizer, run: str
) -> int:
    """Take up a checkpoint where there is one; return how many steps were done."""
    if not checkpoint.exists():
        return 0
    holding = ("network", "optimiser", "step", "run")
    state = load_checkpoint(checkpoint, torch.device("cpu"), holding)
    if state["run"] != run:
        raise CheckpointError(f"{checkpoint} is of another run ({state['run']}): move it away")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _batch(rows: IntArray, step: int, schedule: Schedule) -> tuple[IntArray, np.random.Generator]:
    """Return the rows of a step, of which every epoch sees each once, and its random numbers."""
    per_epoch = max(1, len(rows) // schedule.batch)
    epoch, place = divmod(step, per_epoch)
    shuffled = np.random.default_rng([schedule.seed, epoch]).permutation(rows)
    chosen = np.sort(shuffled[place * schedule.batch : (place + 1) * schedule.batch])
    return chosen, np.random.default_rng([schedule.seed, epoch, place])


def _varied(crops: ByteImage, random: np.random.Generator) -> ByteImage:
    """Return crops ``(N, 3, 112, 112)``, some mirrored, in a little other light, moved a little."""
    varied = np.empty_like(crops)
    levels = np.arange(256)
    for number, crop in enumerate(crops):
        picture = crop[:, :, ::-1] if random.random() < 0.5 else crop
        tones = (levels - 128) * random.uniform(0.85, 1.15) + 128 + random.normal(0, 10)
        table = np.clip(np.rint(tones), 0, 255).astype(np.uint8)
        shift = random.integers(-2, 3, 2)
        picture = cv2.LUT(np.ascontiguousarray(picture), table)
        varied[number] = np.roll(picture, tuple(shift.tolist()), axis=(1, 2))
    return varied


def _rate(share: float) -> float:
    """Return the learning rate at this share of the run over the highest: a ramp, then a cosine."""
    if share < _WARM_UP:
        return share / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP)))
