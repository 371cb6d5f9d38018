"""What goes wrong in training for a reason that its user can mend: one line, no traceback."""

from __future__ import annotations


class DataError(ValueError):
    """A data set cannot be used as it is; the message says what to change."""


class CheckpointError(ValueError):
    """A checkpoint does not fit what it is asked to continue."""


class TrainingDivergedError(RuntimeError):
    """A number is none any more; the message names the step and the batch, or the weight."""


class RunInterruptedError(RuntimeError):
    """A run was asked to stop and has saved its state; the message says where it stands."""


class ForeignNetworkError(ValueError):
    """A file holds something else than the kind of network that can be imported."""
