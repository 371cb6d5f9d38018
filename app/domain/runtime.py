"""What can run the embedder; a setting chooses, and the same weights answer."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """A way to run a model file; ``OPENVINO_BF16`` calculates in bfloat16, the others in fp32.

    ``AUTO`` is ``OPENVINO_BF16`` where the CPU has that natively, and ``OPENVINO`` elsewhere.
    """

    AUTO = "auto"
    OPENVINO = "openvino"
    OPENVINO_BF16 = "openvino-bf16"
    TORCHSCRIPT = "torchscript"
