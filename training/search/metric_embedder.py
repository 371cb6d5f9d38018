"""A network that ``training learn`` made, as an embedder of any picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from app.domain.faces import Picture
from training.data.images import UnreadableImageError
from training.data.transform import fit_tensor
from training.engines.embedding import embed_images
from training.engines.learned_network import read_learned
from training.evaluation.table_results import TABLE_EVALUATION, TableEvaluation
from training.foundation.arrays import Matrix
from training.foundation.errors import CheckpointError
from training.foundation.files import file_sha256
from training.metrics.identification import VerdictRule
from training.recipes.metric_recipe import MetricRecipe
from training.search.embedder import UnusablePictureError

SHOWN_OF_HASH = 12


class MetricEmbedder:
    """The network of a ``learn`` run; pictures are fitted as its own recipe fits them.

    It is named by the recipe and the file's hash, so that two runs of one recipe do not mix.
    """

    def __init__(self, path: Path, device: torch.device) -> None:
        """Load ``best.pt``, or a run's ``checkpoint.pt``; raises ``CheckpointError`` for others."""
        learned = read_learned(path, device)
        self._recipe, self._network = learned.recipe, learned.network
        self._device = device
        digest = file_sha256(path)
        self.name = f"{self._recipe.name} {digest[:SHOWN_OF_HASH]}"
        self.sha256: str | None = digest

    def embed_pictures(self, pictures: Sequence[Picture]) -> Matrix:
        """Return unit embeddings, float32 ``(N, D)``; raises ``UnusablePictureError``."""
        if not pictures:
            raise ValueError("no picture to embed")
        try:
            images = torch.stack(
                [fit_tensor(picture, self._recipe.data.transform) for picture in pictures]
            )
        except UnreadableImageError as error:
            raise UnusablePictureError(str(error)) from error
        return self.embed_fitted(images)

    def embed_fitted(self, images: Tensor) -> Matrix:
        """Return unit embeddings ``(N, D)`` of images that ``recipe`` has fitted already.

        ``images`` are uint8 RGB ``(N, 3, S, S)``.
        """
        embeddings: Matrix = embed_images(self._network, images, self._device).numpy()
        return embeddings

    @property
    def recipe(self) -> MetricRecipe:
        """The recipe of the run, which says how pictures are fitted."""
        return self._recipe


def validation_threshold(checkpoint: Path) -> float:
    """Return the threshold for pairs that a run's validation chose for these very weights.

    It stands in the evaluation beside them. Raises ``CheckpointError`` where there is none, or one
    of other weights.
    """
    return _evaluation_of(checkpoint).decisions.threshold


def validation_line(checkpoint: Path) -> tuple[float, float] | None:
    """Return slope and intercept that a run's validation pairs chose for these very weights.

    ``None`` where no evaluation of them lies beside them, or similarity told nobody apart.
    """
    try:
        calibration = _evaluation_of(checkpoint).calibration
    except CheckpointError:
        return None
    return None if calibration is None else (calibration.slope, calibration.intercept)


def validation_rule(checkpoint: Path, photos: int) -> VerdictRule | None:
    """Return what a run's validation chose for identities of ``photos`` pictures, or fewer.

    ``None`` where no evaluation of these weights lies beside them, or it could choose nothing.
    """
    try:
        opened = _evaluation_of(checkpoint).open_set
    except CheckpointError:
        return None
    rules = [one.rule for one in opened if one.rule is not None]
    fitting = [rule for rule in rules if rule.photos_enrolled <= photos]
    if not rules:
        return None
    return fitting[-1] if fitting else rules[0]


def _evaluation_of(checkpoint: Path) -> TableEvaluation:
    path = checkpoint.parent / TABLE_EVALUATION
    try:
        evaluation = TableEvaluation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise _no_threshold(f"{path} is no evaluation of it") from None
    if evaluation.sha256 is None:
        raise _no_threshold(f"{path} does not say which weights it evaluates; learn again for that")
    if evaluation.sha256 != file_sha256(checkpoint):
        raise _no_threshold(f"{path} evaluates other weights than {checkpoint.name}")
    return evaluation


def _no_threshold(why: str) -> CheckpointError:
    return CheckpointError(f"no threshold is known for this network ({why}); give --threshold")
