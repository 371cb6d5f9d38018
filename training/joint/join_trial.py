"""What other ways to join two networks come to: the figures that choose share, head and crowds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data.crops import CropSet
from training.data.populations import Pool
from training.engine.hubness import fit_hubness, one_of_each
from training.engine.join import HEAD, HUBNESS, SHARE, fit_head, weighed
from training.foundation.arrays import Matrix
from training.foundation.errors import CheckpointError
from training.foundation.sheets import Sheet
from training.joint.hubness_trial import FIGURES, TrialPeople, trial_figures
from training.networks.served import quiet_torchscript
from training.recipes.recipe import CorrectionRecipe, HubnessRecipe, Recipe

SHARES = (0.2, 0.3, 0.5, 0.6, 0.8)
LEARNING_RATES = (1e-5, 1e-4, 3e-4)
REPULSIONS = (0.0, 100.0, 1600.0)
SIMILARITIES = (5.0, 80.0)
CENTRES = (128, 256, 1024)
NEARER = (0.0, 0.05, 0.13)


@dataclass(frozen=True)
class Joining:
    """One way to join two networks; what ships unless something else is said."""

    share: float = SHARE
    head: CorrectionRecipe = HEAD
    hubness: HubnessRecipe = HUBNESS


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


def joinings() -> tuple[tuple[str, Joining], ...]:
    """Return what ships, and then every other choice with one thing changed, by what that is."""

    def heads(name: str, values: Iterable[float]) -> list[tuple[str, Joining]]:
        return [
            (f"{name} {value:g}", Joining(head=HEAD.model_copy(update={name: value})))
            for value in values
        ]

    def crowds(name: str, values: Iterable[float]) -> list[tuple[str, Joining]]:
        return [
            (f"{name} {value:g}", Joining(hubness=HUBNESS.model_copy(update={name: value})))
            for value in values
        ]

    return (
        ("as shipped", Joining()),
        *((f"share {share:g}", Joining(share=share)) for share in SHARES),
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


def joined_rows(recipe: Recipe, heard: Heard, joining: Joining) -> tuple[Matrix, Matrix]:
    """Return unit embeddings of validation people and strangers, joined in one way."""
    head = fit_head(
        recipe,
        heard.crops,
        heard.training.first,
        heard.training.second,
        joining.head,
        joining.share,
    )

    @torch.inference_mode()
    def joined(answers: Answers) -> Tensor:
        return F.normalize(head(weighed(answers.first, answers.second, joining.share)), dim=1)

    people = joined(heard.training)[one_of_each(heard.crops)]
    correction = fit_hubness(people.clone(), joining.hubness, recipe.seed)
    with torch.inference_mode():
        val, strangers = (correction(joined(part)) for part in (heard.val, heard.strangers))
    return val.numpy(), strangers.numpy()


def join_sheet(
    recipe: Recipe,
    heard: Heard,
    val: CropSet,
    pools: Sequence[Pool],
    wanted: Sequence[tuple[str, Joining]],
) -> Sheet:
    """Return a line of figures for each way to join; ``pools`` are of the strangers."""
    rows = []
    for name, joining in wanted:
        people, strangers = joined_rows(recipe, heard, joining)
        told = TrialPeople(val, people, strangers, pools)
        rows.append((name, *trial_figures(told, people, strangers)))
    title = f"Ways to join two networks, validation people and strangers ({len(heard.crops):,} "
    return Sheet(f"{title}training pictures)", ("changed", *FIGURES), tuple(rows))
