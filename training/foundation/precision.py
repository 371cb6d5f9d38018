"""What a device calculates training in: the only place that decides between bfloat16 and fp32.

bfloat16 halves the work of a device that has instructions for it. One that has none emulates it,
and a step then takes many times as long as in fp32 (``docs/decisions/0020``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final, Literal

import torch

from training.foundation.errors import DataError

#: What a recipe may ask for; ``auto`` is what the device calculates in.
WantedPrecision = Literal["auto", "fp32", "bf16", "fp16"]
AUTO: Final = "auto"

#: What torch calls the instructions that multiply in bfloat16: x86-64 and 64-bit Arm.
_BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


class Precision(StrEnum):
    """In which numbers networks are trained and asked; weights and losses are always fp32."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"

    def on(self, device: torch.device) -> torch.autocast:
        """Return the context in which networks on ``device`` calculate in this precision."""
        half = torch.float16 if self is Precision.FP16 else torch.bfloat16
        return torch.autocast(device.type, half, enabled=self is not Precision.FP32)


def precision_of(device: torch.device) -> Precision:
    """Return bfloat16 where ``device`` calculates in it without emulation, and fp32 elsewhere."""
    return Precision.BF16 if has_bfloat16(device) else Precision.FP32


def chosen_precision(wanted: WantedPrecision, device: torch.device) -> Precision:
    """Return the precision that a recipe names; ``"auto"`` is what the device calculates in.

    Raises ``DataError`` where the device has no such numbers, rather than emulate them.
    """
    if wanted == AUTO:
        return precision_of(device)
    precision = Precision(wanted)
    if precision is Precision.FP16 and device.type != "cuda":
        raise DataError('precision "fp16" needs CUDA; "auto" takes what the device calculates in')
    if precision is Precision.BF16 and not has_bfloat16(device):
        raise DataError(
            f'precision "bf16" would be emulated on this {device.type}, which is many times slower '
            'than fp32; "auto" takes what the device calculates in'
        )
    return precision


def has_bfloat16(device: torch.device) -> bool:
    """Return whether ``device`` multiplies in bfloat16 by its own instructions."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and multiplies_bfloat16(_cpu_capabilities())


def multiplies_bfloat16(capabilities: Mapping[str, object]) -> bool:
    """Return whether a CPU of these capabilities, as torch names them, multiplies in bfloat16."""
    return any(capabilities.get(name) is True for name in _BFLOAT16_INSTRUCTIONS)


@cache
def _cpu_capabilities() -> Mapping[str, object]:
    return torch.cpu.get_capabilities()
