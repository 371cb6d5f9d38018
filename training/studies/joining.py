"""What other ways to join two networks come to: the figures that choose share, head, crowds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.crops import CropSet
from training.data.populations import Pool, read_people, read_pools, read_strangers
from training.data.sources import read_sources
from training.engines.embedding import embed_crops
from training.engines.hubness import fit_hubness, one_of_each
from training.engines.join import fit_head, weighed
from training.evaluation.false_matches import MIN_PEOPLE
from training.evaluation.kept_answers import CACHE, kept_answers
from training.export.origin import ORIGIN, JointOrigin
from training.foundation.arrays import Matrix
from training.foundation.device import choose_device
from training.foundation.errors import CheckpointError
from training.foundation.files import file_hash
from training.foundation.precision import precision_of
from training.networks.served import quiet_torchscript
from training.recipes.build_recipe import JoinedRecipe, joined_recipe, load_build_recipe
from training.recipes.recipe import Recipe
from training.studies.validation_figures import (
    FIGURES,
    TrialPeople,
    TriedSettings,
    settings_tables,
    trial_figures,
)

SHARES = (0.2, 0.3, 0.5, 0.6, 0.8)
LEARNING_RATES = (1e-5, 1e-4, 3e-4)
REPULSIONS = (0.0, 100.0, 1600.0)
SIMILARITIES = (5.0, 80.0)
CENTRES = (128, 256, 1024)
NEARER = (0.0, 0.05, 0.13)


def run(
    data: Path, model: Path, *, every: int = 1, tell: Callable[[str], None] = print
) -> TriedSettings:
    """Try other ways to join a model's two networks: share, head, crowds; one thing at a time.

    Heads are fitted on one training picture in ``every``: quicker and rougher.
    """
    device = choose_device("cpu")
    tell(f"networks of {model}; {device}, {precision_of(device)}")
    shipped = joined_recipe(load_build_recipe())
    return trial_of(model, data, every, joinings(shipped), device)


tables = settings_tables


def trial_of(
    folder: Path,
    data: Path,
    every: int,
    wanted: Sequence[tuple[str, JoinedRecipe]],
    device: torch.device,
) -> TriedSettings:
    """Return a line for each way ``wanted`` to join the two networks of a model's folder.

    The heads are fitted on one in ``every`` of the training pictures. Raises ``CheckpointError``
    where the model is not of two networks, and ``DataError`` where no group of strangers is large.
    """
    recipe, networks = recipe_of(folder), joint_parts(folder / "embedder.pt")
    crops = read_sources(recipe, data)
    crops = crops.of(torch.arange(0, len(crops), every))
    val, strangers = read_people(data, "val"), read_strangers(data)
    key = str(file_hash(folder / "embedder.pt"))
    heard = Heard(
        crops, *(answers(networks, part, key, device) for part in (crops, val, strangers))
    )
    pools = read_pools(data / "strangers.csv", strangers.files, MIN_PEOPLE)
    return try_joinings(recipe, heard, val, pools, wanted)


def recipe_of(folder: Path) -> Recipe:
    """Return the recipe whose pictures a joint model's head was fitted on.

    Raises ``CheckpointError`` where the model is not of two networks.
    """
    origin = ORIGIN.validate_python(json.loads((folder / "manifest.json").read_text())["origin"])
    if not isinstance(origin, JointOrigin):
        raise CheckpointError(f"{folder} is not of two networks behind one head")
    return origin.trained.recipe


def answers(
    networks: tuple[nn.Module, nn.Module], crops: CropSet, key: str, device: torch.device
) -> Answers:
    """Return what both networks say of ``crops``, kept on disk by ``key`` of their file."""
    precision = precision_of(device)

    def answer(name: str, network: nn.Module) -> torch.Tensor:
        with precision.on(device):
            kept = kept_answers(
                CACHE,
                f"{key} {name} {precision}",
                crops,
                lambda crops: embed_crops(network, crops, device).numpy(),
            )
        return torch.from_numpy(kept)

    first, second = networks
    return Answers(answer("first", first), answer("second", second))


@dataclass(frozen=True)
class Answers:
    """Unit embeddings ``(N, D1)`` and ``(N, D2)`` of one set of pictures by either network."""

    first: Tensor
    second: Tensor


@dataclass(frozen=True)
class Heard:
    """What both networks say of the training pictures, the validation people and the strangers."""

    crops: CropSet
    training: Answers
    val: Answers
    strangers: Answers


def joinings(shipped: JoinedRecipe) -> tuple[tuple[str, JoinedRecipe], ...]:
    """Return what ships, and then every other choice with one thing changed, by what that is."""
    join, hubness = shipped.join, shipped.hubness

    def shares(values: Iterable[float]) -> Iterator[tuple[str, JoinedRecipe]]:
        for value in values:
            changed = join.model_copy(update={"share": value})
            yield f"share {value:g}", JoinedRecipe(join=changed, hubness=hubness)

    def heads(name: str, values: Iterable[float]) -> Iterator[tuple[str, JoinedRecipe]]:
        for value in values:
            changed = join.model_copy(update={"head": join.head.model_copy(update={name: value})})
            yield f"{name} {value:g}", JoinedRecipe(join=changed, hubness=hubness)

    def crowds(name: str, values: Iterable[float]) -> Iterator[tuple[str, JoinedRecipe]]:
        for value in values:
            changed = hubness.model_copy(update={name: value})
            yield f"{name} {value:g}", JoinedRecipe(join=join, hubness=changed)

    return (
        ("as shipped", shipped),
        *shares(SHARES),
        *heads("learning_rate", LEARNING_RATES),
        *heads("repulsion", REPULSIONS),
        *heads("similarity", SIMILARITIES),
        *crowds("centres", CENTRES),
        *crowds("nearer", NEARER),
    )


def joint_parts(path: Path) -> tuple[nn.Module, nn.Module]:
    """Return the two networks inside an exported joint model.

    Raises ``CheckpointError`` where the file is missing or holds no two networks side by side.
    """
    try:
        with quiet_torchscript():
            exported = torch.jit.load(str(path), map_location="cpu").float().eval()
        joint = exported.student.network
        return joint.first, joint.second
    except (AttributeError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path} holds no two networks behind one head") from error


def joined_rows(recipe: Recipe, heard: Heard, joining: JoinedRecipe) -> tuple[Matrix, Matrix]:
    """Return unit embeddings of validation people and strangers, joined in one way."""
    training = heard.training
    head = fit_head(recipe, heard.crops, training.first, training.second, joining.join)

    @torch.inference_mode()
    def joined(answers: Answers) -> Tensor:
        return F.normalize(head(weighed(answers.first, answers.second, joining.join.share)), dim=1)

    people = joined(heard.training)[one_of_each(heard.crops)]
    correction = fit_hubness(people.clone(), joining.hubness, recipe.seed)
    with torch.inference_mode():
        val, strangers = (correction(joined(part)) for part in (heard.val, heard.strangers))
    return val.numpy(), strangers.numpy()


def try_joinings(
    recipe: Recipe,
    heard: Heard,
    val: CropSet,
    pools: Sequence[Pool],
    wanted: Sequence[tuple[str, JoinedRecipe]],
) -> TriedSettings:
    """Return a line of figures for each way to join; ``pools`` are of the strangers."""
    rows = []
    for name, joining in wanted:
        people, strangers = joined_rows(recipe, heard, joining)
        trial = TrialPeople(val, people, strangers, pools)
        rows.append((name, *trial_figures(trial, people, strangers)))
    title = f"Ways to join two networks, validation people and strangers ({len(heard.crops):,} "
    return TriedSettings(
        title=f"{title}training pictures)", head=("changed", *FIGURES), rows=tuple(rows)
    )
