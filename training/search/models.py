"""What ``--model`` names: an exported face embedder's folder, or what ``training learn`` made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from app.domain.calibration import pair_probability
from app.domain.model_manifest import ModelManifest
from app.domain.policy import RiskPolicy
from training.engines.learned_network import metric_checkpoint
from training.engines.run_folder import BEST
from training.evaluation.embedders import read_manifest
from training.evaluation.served import DEFAULT_TARGETS
from training.foundation.errors import CheckpointError, DataError
from training.metrics.identification import VerdictRule
from training.search.embedder import FaceEmbedder, ImageEmbedder
from training.search.metric_embedder import (
    MetricEmbedder,
    validation_line,
    validation_rule,
    validation_threshold,
)

MANIFEST = "manifest.json"


def open_image_embedder(model: Path, device: torch.device, *, crops: bool) -> ImageEmbedder:
    """Return the embedder that ``model`` names.

    A folder with a manifest is an exported face embedder; a run's folder or a checkpoint is a
    learned network. Raises ``CheckpointError`` for anything else, ``DataError`` where a learned
    network is to be given ready ``crops``: it has its own way to fit pictures.
    """
    checkpoint = _learned(model)
    if checkpoint is None:
        return FaceEmbedder(model, device, crops=crops)
    if crops:
        raise DataError("--crops is for a face embedder; a learned network fits pictures itself")
    return MetricEmbedder(checkpoint, device)


def own_threshold(model: Path) -> float:
    """Return the similarity at or above which the model itself takes two pictures for one identity.

    Raises ``CheckpointError`` where none is saved with it.
    """
    checkpoint = _learned(model)
    if checkpoint is None:
        manifest = ModelManifest.from_json(read_manifest(model))
        return RiskPolicy(manifest, DEFAULT_TARGETS).verify(photos=1).threshold.similarity
    return validation_threshold(checkpoint)


@dataclass(frozen=True)
class PairLine:
    """A calibration's line from similarity to the log of the likelihood ratio of a pair."""

    slope: float
    intercept: float

    def probability(self, similarity: float) -> float:
        """Return the probability of one identity where half of all pairs are."""
        return pair_probability(self.slope * similarity + self.intercept, 0.5)


def own_line(model: Path) -> PairLine | None:
    """Return the line for one photo against another that a model was calibrated with.

    ``None`` for a learned network without one: nothing was evaluated, or similarity told nobody
    apart.
    """
    checkpoint = _learned(model)
    if checkpoint is None:
        manifest = ModelManifest.from_json(read_manifest(model))
        return PairLine(*manifest.calibration.line(photos=1, frames=1))
    found = validation_line(checkpoint)
    return None if found is None else PairLine(*found)


def own_rule(model: Path, photos: int) -> VerdictRule | None:
    """Return what a learned network's validation chose for identities of ``photos`` pictures.

    ``None`` where nothing was chosen, and for an exported model, whose verdicts are the service's.
    """
    checkpoint = _learned(model)
    return None if checkpoint is None else validation_rule(checkpoint, photos)


def _learned(model: Path) -> Path | None:
    """Return the learned network's file, ``None`` for an exported model."""
    if (model / MANIFEST).is_file():
        return None
    checkpoint = metric_checkpoint(model)
    if checkpoint is None:
        raise CheckpointError(
            f"{model} holds neither the {MANIFEST} of an exported model nor a learned {BEST}"
        )
    return checkpoint
