"""The people an embedder is judged on, embedded once for everything that is asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.data.crops import CropSet
from training.data.populations import read_people, read_strangers
from training.evaluation.embedders import CropEmbedder
from training.foundation.arrays import Matrix


@dataclass(frozen=True)
class EmbeddedCrops:
    """Crops and their unit embeddings, float32 ``(N, D)``."""

    crops: CropSet
    faces: Matrix


@dataclass(frozen=True)
class EmbeddedPeople:
    """LFW, the validation people, and strangers of one picture each, as one model sees them."""

    model: str
    sha256: str | None
    lfw: EmbeddedCrops
    val: EmbeddedCrops
    strangers: EmbeddedCrops


def embed_people(embedder: CropEmbedder, root: Path) -> EmbeddedPeople:
    """Return the people below ``root`` with their embeddings.

    Raises ``DataError`` where a file of the data is missing or nothing of it can be read.
    """
    lfw, val, strangers = read_people(root, "lfw"), read_people(root, "val"), read_strangers(root)
    return EmbeddedPeople(
        model=embedder.name,
        sha256=embedder.sha256,
        lfw=EmbeddedCrops(lfw, embedder.embed(lfw)),
        val=EmbeddedCrops(val, embedder.embed(val)),
        strangers=EmbeddedCrops(strangers, embedder.embed(strangers)),
    )
