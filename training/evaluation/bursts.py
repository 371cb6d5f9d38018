"""Bursts from pictures: photos of different days, or simulated frames of one photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from app.domain.embeddings import mean_directions
from training.augment.frames import simulate_frames
from training.data.crops import CropSet
from training.data.populations import rows_by_person
from training.evaluation.embedders import CropEmbedder, ExportedFile
from training.foundation.arrays import FloatArray, IntArray, Matrix

MAX_FRAMES = 5


@dataclass(frozen=True)
class Bursts:
    """Embeddings ``(B, 5, D)`` of bursts, weights ``(B, 5)`` of frames, people ``(B,)``."""

    embeddings: Matrix
    weights: FloatArray
    people: IntArray

    def fused(self, frames: int, *, weighted: bool) -> Matrix:
        """Return the mean direction of the first ``frames`` frames of each burst, ``(B, D)``."""
        weights = self.weights[:, :frames] if weighted else None
        return mean_directions(self.embeddings[:, :frames], weights)

    def of(self, chosen: IntArray) -> Bursts:
        """Return the bursts in these rows."""
        return Bursts(self.embeddings[chosen], self.weights[chosen], self.people[chosen])


@dataclass(frozen=True)
class BurstTrial:
    """A gallery of one photo a person, and bursts of people in it and of others.

    ``gallery`` ``(G, D)``; ``genuine.people`` are rows of it, ``impostors.people`` are others.
    ``unseen``: nothing was fitted on these people, so that the model's own lines can be judged.
    """

    source: str
    gallery: Matrix
    genuine: Bursts
    impostors: Bursts
    unseen: bool = False


def days_apart(photos: Matrix, crops: CropSet, seed: int) -> BurstTrial:
    """Take a person's other photos for frames; half of those who have enough are strangers.

    A harder task than frames of a second: years, cameras and ages differ, which a burst at a door
    never averages away. Everybody else is in the gallery as well. Each burst starts with another
    photo, so that every photo is a first frame once.
    """
    random = np.random.default_rng(seed)
    rows_of = rows_by_person(crops.identities.numpy(), crops.files)
    able = [person for person, rows in rows_of.items() if len(rows) > MAX_FRAMES]
    outside = set(random.permutation(able)[: len(able) // 2].tolist())
    enrolled = [person for person in rows_of if person not in outside]
    gallery = photos[[rows_of[person][0] for person in enrolled]]
    place = {person: position for position, person in enumerate(enrolled)}

    def bursts(people: list[int], number: dict[int, int]) -> Bursts:
        frames, shown = [], []
        for person in people:
            others = rows_of[person][1:]
            for start in range(len(others)):
                frames.append([others[(start + j) % len(others)] for j in range(MAX_FRAMES)])
                shown.append(number[person])
        chosen = np.array(frames, np.int64)
        return Bursts(photos[chosen], np.ones(chosen.shape), np.array(shown, np.int64))

    strangers = sorted(outside)
    return BurstTrial(
        "photos of different days",
        gallery,
        bursts([person for person in able if person not in outside], place),
        bursts(strangers, {person: number for number, person in enumerate(strangers)}),
    )


def one_moment(
    photos: Matrix,
    crops: CropSet,
    strangers: CropSet,
    embedder: CropEmbedder,
    max_strangers: int,
    seed: int,
) -> BurstTrial:
    """Simulate the frames of one later photo of everybody who has two, and of strangers' photos.

    ``photos`` ``(N, D)`` are the embeddings of ``crops``.
    """
    rows_of = rows_by_person(crops.identities.numpy(), crops.files)
    gallery = photos[[rows[0] for rows in rows_of.values()]]
    shown = [(number, rows[1]) for number, rows in enumerate(rows_of.values()) if len(rows) > 1]
    people = np.array([number for number, _ in shown], np.int64)
    chosen = np.random.default_rng(seed).permutation(len(strangers))[:max_strangers]
    return BurstTrial(
        "simulated frames of one photo",
        gallery,
        simulated_bursts(
            crops, np.array([row for _, row in shown], np.int64), people, embedder, seed
        ),
        simulated_bursts(strangers, chosen, np.arange(len(chosen)), embedder, seed + MAX_FRAMES),
    )


def unseen_moment(
    crops: CropSet, embedder: CropEmbedder, max_people: int, max_strangers: int, seed: int
) -> BurstTrial:
    """Do the same with people nothing was fitted on: some of those with two photos are enrolled.

    Strangers are people of one photo.
    """
    rows_of = rows_by_person(crops.identities.numpy(), crops.files)
    random = np.random.default_rng(seed)
    able = sorted(person for person, rows in rows_of.items() if len(rows) > 1)
    chosen = random.permutation(able)[:max_people].tolist()
    enrolled = crops.of(torch.tensor([row for person in chosen for row in rows_of[person][:2]]))
    alone = [rows[0] for rows in rows_of.values() if len(rows) == 1]
    trial = one_moment(
        embedder.embed(enrolled),
        enrolled,
        crops.of(torch.tensor(alone)),
        embedder,
        max_strangers,
        seed,
    )
    return replace(trial, source="simulated frames of LFW photos", unseen=True)


def simulated_bursts(
    crops: CropSet, rows: IntArray, people: IntArray, embedder: CropEmbedder, seed: int
) -> Bursts:
    """Return a burst of five simulated frames of each of these ``rows`` of crops.

    Raises ``TypeError`` where the embedder takes no ready crops.
    """
    if not isinstance(embedder, ExportedFile):
        raise TypeError("simulated frames are ready crops, which only an exported model takes")
    stored = crops.images[rows].numpy()
    made = [simulate_frames(stored, seed + number) for number in range(MAX_FRAMES)]
    return Bursts(
        np.stack([embedder.embed_faces(frames.crops) for frames in made], axis=1),
        np.stack([frames.weights for frames in made], axis=1),
        people,
    )
