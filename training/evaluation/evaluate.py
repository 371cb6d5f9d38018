"""The whole evaluation of one embedder: LFW, validation people, strangers, and how to rank."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data.crops import CropSet
from training.data.listed_pairs import read_lfw_pairs
from training.data.populations import read_pools
from training.evaluation.embedded_people import EmbeddedPeople, embed_people
from training.evaluation.embedders import CropEmbedder
from training.evaluation.false_matches import LFW_RATE, REPORTED_PEOPLE, match_strangers
from training.evaluation.results import Evaluation
from training.foundation.arrays import IntArray, Matrix
from training.metrics.open_set import RULES, enroll_people, identify_open_set, single_photo_rows
from training.metrics.pairs import same_and_different
from training.metrics.results import OpenSet, Verification
from training.metrics.verification import threshold_at_far, verify_all_pairs, verify_pairs

OPEN_SET_PHOTOS = (1, 3)
OPEN_SET_RATES = (0.1, 0.01)
RANKING_PHOTOS = (2, 3)
RANKING_RATES = (0.01, 0.001)
ALL_PAIR_RATES = (1e-3, 1e-4)


def evaluate_embedder(
    embedder: CropEmbedder, root: Path, default_threshold: float | None
) -> Evaluation:
    """Return every figure of ``embedder`` on the data below ``root``.

    Raises ``DataError`` where a file of the data is missing or malformed.
    """
    return evaluate_people(embed_people(embedder, root), root, default_threshold)


def evaluate_people(
    people: EmbeddedPeople, root: Path, default_threshold: float | None
) -> Evaluation:
    """Return every figure of people who are embedded already; pairs and groups lie at ``root``."""
    lfw, val, strangers = people.lfw.crops, people.val.crops, people.strangers.crops
    lfw_faces, val_faces = people.lfw.faces, people.val.faces
    stranger_faces = people.strangers.faces
    lfw_people, val_people = lfw.identities.numpy(), val.identities.numpy()
    lfw_same, lfw_owners, lfw_different = same_and_different(lfw_faces, lfw_people)
    val_same, val_owners, val_different = same_and_different(val_faces, val_people)
    return Evaluation(
        model=people.model,
        sha256=people.sha256,
        lfw=_view2(root, lfw, lfw_faces),
        lfw_all_pairs=verify_all_pairs(lfw_same, lfw_owners, lfw_different, ALL_PAIR_RATES),
        lfw_open_set=_open_sets(lfw, lfw_faces, lfw_faces[single_photo_rows(lfw_people)]),
        val=verify_all_pairs(val_same, val_owners, val_different, ALL_PAIR_RATES),
        val_open_set=_open_sets(val, val_faces, stranger_faces),
        strangers=match_strangers(
            stranger_faces,
            read_pools(root / "strangers.csv", strangers.files, REPORTED_PEOPLE),
            (lfw_same, lfw_owners),
            (val_same, val_owners),
            threshold_at_far(lfw_different, LFW_RATE),
            default_threshold,
        ),
        ranking=_rankings(val.files, val_people, val_faces, stranger_faces),
    )


def _view2(root: Path, lfw: CropSet, faces: Matrix) -> Verification:
    pairs = read_lfw_pairs(root / "lfw-pairs.txt", lfw.files)
    first, second = faces[pairs.rows[:, 0]], faces[pairs.rows[:, 1]]
    similarities = np.einsum("nd,nd->n", first, second, dtype=np.float64)
    people: IntArray = lfw.identities.numpy()[pairs.rows]
    return verify_pairs(similarities, pairs.same, pairs.folds, people)


def _open_sets(crops: CropSet, faces: Matrix, impostors: Matrix) -> tuple[OpenSet, ...]:
    people = crops.identities.numpy()
    return tuple(
        identify_open_set(
            faces, enroll_people(people, crops.files, photos), impostors, OPEN_SET_RATES
        )
        for photos in OPEN_SET_PHOTOS
    )


def _rankings(
    files: tuple[str, ...], people: IntArray, faces: Matrix, strangers: Matrix
) -> tuple[OpenSet, ...]:
    """Compare the three ways to score a person of several photos, on the same enrollments."""
    return tuple(
        identify_open_set(
            faces, enroll_people(people, files, photos), strangers, RANKING_RATES, rule
        )
        for photos in RANKING_PHOTOS
        for rule in RULES
    )
