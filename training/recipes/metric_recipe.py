"""A recipe of similarity learning: loss, miner, sampler, backbone and data, each chosen freely."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from training.foundation.records import Record
from training.recipes.augment_recipe import NO_CHANGE, GenericAugmentRecipe
from training.recipes.documents import RECIPES, load_document
from training.recipes.run_recipe import RunRecipe
from training.recipes.sampler_recipe import LOSSES_OF_DRAWN, IdentityBatchRecipe, SamplerRecipe
from training.recipes.source_recipe import Expression, SourceRecipe
from training.recipes.transform_recipe import TransformRecipe

METRIC_RECIPES = RECIPES / "metric"


class ContrastiveRecipe(Record):
    """Euclidean contrastive loss; ``margin`` is how far others must be (at most 2 where unit)."""

    name: Literal["contrastive"] = "contrastive"
    margin: float = Field(default=1.0, gt=0)
    unit: bool = True
    average: Literal["all", "active"] = "all"


class CosineContrastiveRecipe(Record):
    """Contrastive loss on cosines; others may be as near as the cosine ``margin``."""

    name: Literal["cosine-contrastive"]
    margin: float = Field(default=0.3, ge=-1, lt=1)
    average: Literal["all", "active"] = "all"


class TripletRecipe(Record):
    """Triplet loss; which triplets of a batch is the miner's choice.

    ``soft`` is the softplus of Hermans et al. in place of the hinge. ``average = "active"`` counts
    only triplets that still cost something.
    """

    name: Literal["triplet"]
    margin: float = Field(default=0.2, ge=0)
    distance: Literal["euclidean", "squared-euclidean", "cosine"] = "euclidean"
    unit: bool = True
    soft: bool = False
    average: Literal["all", "active"] = "all"


class ProxyNcaRecipe(Record):
    """Proxy-NCA++: one learned proxy an identity; ``scale`` is the inverse of its temperature."""

    name: Literal["proxy-nca"]
    scale: float = Field(default=9.0, gt=0)
    learning_rate_factor: float = Field(default=10.0, gt=0)


class ArcFaceRecipe(Record):
    """ArcFace: one learned direction an identity and an angle that the right one must win by."""

    name: Literal["arcface"]
    margin_degrees: float = Field(default=28.6, ge=0, lt=180)
    scale: float = Field(default=64.0, gt=0)
    learning_rate_factor: float = Field(default=10.0, gt=0)


class NoLossRecipe(Record):
    """No metric loss: the teacher alone."""

    name: Literal["none"]


LossRecipe = Annotated[
    ContrastiveRecipe
    | CosineContrastiveRecipe
    | TripletRecipe
    | ProxyNcaRecipe
    | ArcFaceRecipe
    | NoLossRecipe,
    Field(discriminator="name"),
]


class AllRecipe(Record):
    """No mining: every pair or triplet of a batch, or every one that the sampler has drawn."""

    name: Literal["all"] = "all"


class BatchHardRecipe(Record):
    """The farthest of the same and the nearest of the others, for every image of a batch."""

    name: Literal["batch-hard"]


class MarginMinerRecipe(Record):
    """Triplets within ``margin``: "hard" ones are in the wrong order, "semi-hard" in the right."""

    name: Literal["hard", "semi-hard"]
    margin: float = Field(default=0.2, ge=0)


class HardPairsRecipe(Record):
    """Pairs of the same farther than ``same_beyond`` and others nearer than ``others_within``.

    Both are in the loss's own measure: distances, or cosines where the loss works on these.
    """

    name: Literal["hard-pairs"]
    same_beyond: float = 0.2
    others_within: float = 0.8


MinerRecipe = Annotated[
    AllRecipe | BatchHardRecipe | MarginMinerRecipe | HardPairsRecipe, Field(discriminator="name")
]


class BackboneRecipe(Record):
    """A network of ``training.networks.backbones``; ``widths`` and ``blocks`` are the student's.

    ``weights`` is the path of a state_dict; nothing is ever downloaded.
    """

    name: Literal[
        "small-cnn", "student", "resnet18", "resnet34", "efficientnet-b0", "efficientnet-lite0"
    ] = "small-cnn"
    embedding_dim: int = Field(default=64, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    unit_norm: bool = True
    widths: tuple[int, int, int, int] | None = None
    blocks: tuple[int, int, int, int] | None = None
    weights: Path | None = None

    @model_validator(mode="after")
    def _sizes_are_the_students(self) -> BackboneRecipe:
        if self.name != "student" and (self.widths is not None or self.blocks is not None):
            raise ValueError(f"widths and blocks mean nothing to {self.name}")
        return self


class TeacherTermRecipe(Record):
    """What is kept of a teacher: a TorchScript embedder shown the clean images once.

    ``kind = "cosine"`` asks for the teacher's own directions, so that both embeddings must be of
    one size; ``"similarity"`` only for its cosines between images.
    """

    path: Path
    weight: float = Field(default=1.0, gt=0)
    kind: Literal["cosine", "similarity"] = "cosine"


class DataRecipe(Record):
    """What to learn from and what to hold out.

    ``divide = "images"`` holds out images of known identities, ``"identities"`` whole identities,
    ``"split"`` keeps the data set's own train and test, and its validation where it has one.
    ``drop_single`` leaves out identities with one image where pairs are needed; without it they
    stop the run. ``kin`` is a regular expression: identities in whose names it finds the same text
    are kept on one side, as the members of a family must be. ``seed`` divides, so that runs of
    several seeds are judged on the same images.
    """

    sources: tuple[SourceRecipe, ...] = Field(min_length=1)
    divide: Literal["images", "identities", "split"] = "identities"
    validation: float = Field(default=0.15, ge=0, lt=1)
    test: float = Field(default=0.25, gt=0, lt=1)
    drop_single: bool = False
    kin: Expression | None = None
    seed: int = 20261122
    transform: TransformRecipe = TransformRecipe()

    @model_validator(mode="after")
    def _something_is_left(self) -> DataRecipe:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test leave nothing to learn from")
        return self

    @model_validator(mode="after")
    def _listed_pairs_stay_whole(self) -> DataRecipe:
        if self.divide != "split" and any(source.pairs is not None for source in self.sources):
            raise ValueError(
                'a list of pairs is judged whole: divide = "split" learns from the other sources'
            )
        return self


class MetricOptimiserRecipe(Record):
    """The optimiser, its rate with warm-up and a cosine to zero, and the norm to clip to."""

    name: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-4, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    warmup_fraction: float = Field(default=0.05, ge=0, lt=1)
    clip_norm: float | None = Field(default=None, gt=0)


class MetricRecipe(RunRecipe):
    """A whole run of similarity learning, validated by R@1 where images are held out for it.

    ``bar`` is the R@1 on held-out data below which a run has failed.
    """

    evaluate_every: int = Field(default=100, gt=0)
    bar: float | None = Field(default=None, ge=0, le=1)
    data: DataRecipe
    backbone: BackboneRecipe = BackboneRecipe()
    loss: LossRecipe = ContrastiveRecipe()
    miner: MinerRecipe = AllRecipe()
    sampler: SamplerRecipe = IdentityBatchRecipe()
    augment: GenericAugmentRecipe = NO_CHANGE
    optimiser: MetricOptimiserRecipe = MetricOptimiserRecipe()
    teacher: TeacherTermRecipe | None = None

    @model_validator(mode="after")
    def _there_is_something_to_learn(self) -> MetricRecipe:
        if self.loss.name == "none" and self.teacher is None:
            raise ValueError('loss "none" needs a teacher')
        if self.loss.name == "none" and self.miner.name != "all":
            raise ValueError('a miner has nothing to choose for loss "none"')
        return self

    @model_validator(mode="after")
    def _what_is_drawn_can_be_learned_from(self) -> MetricRecipe:
        drawn, losses = self.sampler.name, LOSSES_OF_DRAWN.get(self.sampler.name)
        if losses is None:
            return self
        if self.loss.name not in losses:
            wanted = " or ".join(f'"{name}"' for name in losses)
            raise ValueError(f'drawn {drawn} are for loss {wanted}, not "{self.loss.name}"')
        if self.miner.name != "all":
            raise ValueError(
                f'the sampler draws the {drawn}: miner "{self.miner.name}" has nothing to choose; '
                'use "all"'
            )
        return self

    @property
    def needs_pairs(self) -> bool:
        """Whether an identity with one image teaches nothing, or is never drawn."""
        pairs = self.loss.name in {"contrastive", "cosine-contrastive", "triplet"}
        return pairs or (self.sampler.name == "identities" and self.loss.name != "none")


def load_metric_recipe(name_or_path: str, settings: Sequence[str] = ()) -> MetricRecipe:
    """Return a recipe by its name in ``training/recipes/metric`` or by the path of a TOML file.

    ``settings`` change keys of it, as ``loss.margin=0.3``. Raises what ``load_document`` raises.
    """
    return load_document(MetricRecipe, name_or_path, METRIC_RECIPES, settings)
