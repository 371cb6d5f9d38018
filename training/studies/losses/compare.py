"""Recipes compared with everything else equal: the same data and budget, several seeds each."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from training.data.learning_parts import LearningParts, load_parts
from training.engines.learned import HeldOut, Judge, learn_recipe, saved_result
from training.engines.run_folder import CHECKPOINT, RESULT
from training.foundation.errors import CheckpointError, DataError
from training.metrics.estimates import Estimate
from training.metrics.similarity import measure_similarity, similarity_intervals
from training.recipes.metric_recipe import (
    ArcFaceRecipe,
    ContrastiveRecipe,
    CosineContrastiveRecipe,
    LossRecipe,
    MetricRecipe,
    TripletRecipe,
)

#: What recipes of one comparison may differ in; a bar judges a run and changes nothing in it.
COMPARED = frozenset({"name", "bar", "loss", "miner"})


#: From embeddings and identities of the same images, for each seed, to the mean's intervals.
Intervals = Callable[[Sequence[tuple[Tensor, Tensor]]], Mapping[str, Estimate]]
#: Takes the data and, for each recipe, what its network of the first seed made of it.
Show = Callable[[LearningParts, Sequence[HeldOut]], None]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measure(_Record):
    """One measure over the seeds; ``deviation`` is the sample's, ``None`` of a single seed.

    ``interval`` is that of the mean where other identities had been held out, at 95 %; the
    deviation says what another seed does. ``None`` for measures that have none.
    """

    name: str
    mean: float
    deviation: float | None
    values: tuple[float, ...]
    interval: Estimate | None = None


class Contender(_Record):
    """One recipe's part in a comparison; ``margin`` as the recipe writes it, with its unit."""

    recipe: str
    loss: str
    miner: str
    margin: str = ""
    measures: tuple[Measure, ...]


class Comparison(_Record):
    """A whole comparison; ``differing`` names settings beyond loss and miner that differ."""

    seeds: tuple[int, ...]
    differing: tuple[str, ...]
    train_images: int
    test_images: int
    test_identities: int
    contenders: tuple[Contender, ...]


def differing_settings(recipes: Sequence[MetricRecipe]) -> tuple[str, ...]:
    """Return the settings, dotted, beside loss and miner in which the recipes differ."""
    flat = [_flattened(recipe.model_dump(mode="json", exclude=set(COMPARED))) for recipe in recipes]
    names = sorted({name for settings in flat for name in settings})
    return tuple(n for n in names if any(s.get(n) != flat[0].get(n) for s in flat))


def _flattened(settings: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flattened(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def compare_recipes(
    recipes: Sequence[MetricRecipe],
    runs: Path,
    device: torch.device,
    *,
    seeds: int = 3,
    measure: Judge = measure_similarity,
    intervals: Intervals = similarity_intervals,
    allow_different: bool = False,
    load: Callable[[MetricRecipe], LearningParts] = load_parts,
    tell: Callable[[str], None] = print,
    show: Show | None = None,
) -> Comparison:
    """Learn every recipe with every seed below ``runs`` and judge all on the held-out images.

    A run that is there already, of the same recipe, seed and data, is judged again and not made
    again; one that was interrupted goes on. ``intervals`` belong to the measures of the same names.
    ``show`` is given the data and what the first seed's networks made of it, where all recipes have
    the same data. Raises
    ``DataError`` where recipes differ in more than loss and miner, unless allowed.
    """
    names = [recipe.name for recipe in recipes]
    if len(recipes) < 2 or len(set(names)) != len(names):
        raise DataError(f"a comparison is of two recipes of different names, not: {names}")
    differing = differing_settings(recipes)
    if differing and not allow_different:
        raise DataError(
            f"the recipes differ in more than loss and miner: {', '.join(differing)} "
            "(--allow-different compares them all the same)"
        )
    numbers = tuple(recipes[0].seed + n for n in range(seeds))
    parts = load(recipes[0])
    contenders, first = [], []
    other_data = any(name.startswith("data.") for name in differing)
    for recipe in recipes:
        own = load(recipe) if other_data else parts
        answers = []
        for number in numbers:
            seeded = recipe.model_copy(update={"seed": number})
            folder = runs / f"{recipe.name}-seed{number}"
            answers.append(_learned(seeded, own, folder, device, tell))
        contenders.append(_contender(recipe, answers, measure, intervals))
        first.append(answers[0])
    if show is not None and not other_data:
        show(parts, first)
    return Comparison(
        seeds=numbers,
        differing=differing,
        train_images=len(parts.train),
        test_images=len(parts.test),
        test_identities=parts.test.classes,
        contenders=tuple(contenders),
    )


def _learned(
    recipe: MetricRecipe,
    parts: LearningParts,
    folder: Path,
    device: torch.device,
    tell: Callable[[str], None],
) -> HeldOut:
    recipe = recipe.on(device)
    saved = saved_result(recipe, parts, folder)
    doing = "saved" if saved is not None else f"learning on {device.type} in {recipe.precision}"
    tell(f"{folder.name}: {doing}")
    if saved is not None:
        return saved
    if (folder / CHECKPOINT).is_file() and not (folder / RESULT).is_file():
        with contextlib.suppress(CheckpointError):  # of another recipe or other data: begin anew
            return learn_recipe(recipe, parts, folder, device, resume=True)
    return learn_recipe(recipe, parts, folder, device, force=True)


def _contender(
    recipe: MetricRecipe, answers: Sequence[HeldOut], measure: Judge, intervals: Intervals
) -> Contender:
    """Return a recipe's measures over what its networks of several seeds made of the images."""
    values: dict[str, list[float]] = {}
    for held_out in answers:
        for name, value in measure(held_out.embeddings, held_out.labels).items():
            values.setdefault(name, []).append(float(value))
    found = intervals([(held_out.embeddings, held_out.labels) for held_out in answers])
    return Contender(
        recipe=recipe.name,
        loss=recipe.loss.name,
        miner=recipe.miner.name,
        margin=margin_text(recipe.loss),
        measures=tuple(
            Measure(
                name=name,
                mean=statistics.fmean(listed),
                deviation=statistics.stdev(listed) if len(listed) > 1 else None,
                values=tuple(listed),
                interval=found.get(name),
            )
            for name, listed in values.items()
        ),
    )


def margin_text(loss: LossRecipe) -> str:
    """Return the margin of a loss with its unit, empty where it has none."""
    match loss:
        case ContrastiveRecipe():
            return f"{loss.margin:g}"
        case CosineContrastiveRecipe():
            return f"{loss.margin:g} cosine"
        case TripletRecipe():
            if loss.soft:
                return "soft"
            return f"{loss.margin:g}" + (
                "" if loss.distance == "euclidean" else f" {loss.distance}"
            )
        case ArcFaceRecipe():
            return f"{loss.margin_degrees:g}°"
        case _:
            return ""
