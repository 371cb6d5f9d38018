"""A recipe of a whole build: from the distillation to what the shipped model's card says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from training.foundation.errors import DataError
from training.foundation.records import Record
from training.recipes.documents import RECIPES, load_document
from training.recipes.recipe import CorrectionRecipe, HubnessRecipe, Recipe, load_recipe

BUILDS = RECIPES / "build"
#: The recipe of the model that the service ships with; its file is the only home of its numbers.
SHIPPED = "facegate"


class DistillRecipe(Record):
    """Which recipe trains the student, and for how many steps, so that two runs are alike."""

    recipe: str
    steps: int = Field(gt=0)


class InterpolateRecipe(Record):
    """How far from its published start to the run's end the student's weights go."""

    share: float = Field(ge=0, lt=1)


class JoinRecipe(Record):
    """What the student's cosine weighs beside SFace's, and the head over both."""

    share: float = Field(gt=0, lt=1)
    head: CorrectionRecipe


class CalibrateRecipe(Record):
    """What probabilities, tails and default thresholds are fitted at.

    ``identify_rate`` and ``verify_rate`` are false matches per comparison, in the worst group.
    Strangers whose mean teacher similarity reaches ``teacher_similarity`` are one person twice.
    Lines are fitted for centroids of so many photos and for bursts of so many frames; bursts of at
    most ``burst_strangers`` strangers are simulated.
    """

    identify_rate: float = Field(gt=0, lt=1)
    verify_rate: float = Field(gt=0, lt=1)
    teacher_similarity: float = Field(gt=0, le=1)
    centroid_photos: tuple[Annotated[int, Field(ge=2)], ...]
    burst_frames: tuple[Annotated[int, Field(ge=2, le=5)], ...]
    burst_strangers: int = Field(gt=0)


class RecognisabilityRecipe(Record):
    """The centres of what a model cannot read, and where its limits lie.

    The limits are those below which these shares of validation photos lie. ``*_people`` say how
    many people are rendered oddly to fit on and to choose by, and how many odd pictures of each
    kind the service's own detector is shown.
    """

    centres: int = Field(ge=1)
    enrollment_share: float = Field(gt=0, lt=1)
    verification_share: float = Field(gt=0, lt=1)
    fitted_people: int = Field(ge=2)
    held_out_people: int = Field(ge=2)
    served_people: int = Field(ge=1)


class PlainnessRecipe(Record):
    """The network that tells covered and altered faces, and where its limit lies.

    ``people`` of FairFace's first archive train it with ``crops``, two of a person; what fills a
    crop beyond its photograph may be of any of them. ``held_out`` people of the second archive say
    what it catches. ``enrollment_share`` of validation photos are refused by the limit alone.
    """

    people: int = Field(ge=2)
    crops: int = Field(ge=2)
    held_out: int = Field(ge=1)
    epochs: float = Field(gt=0)
    enrollment_share: float = Field(gt=0, lt=1)


class BuildRecipe(Record):
    """All that decides a model but its data.

    Without ``interpolate`` the weights are those of the run's end; without ``join`` the student
    ships alone, and there is no correction of hubs. Without ``plainness`` nothing tells that a face
    is covered.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    distill: DistillRecipe
    interpolate: InterpolateRecipe | None = None
    join: JoinRecipe | None = None
    hubness: HubnessRecipe | None = None
    calibrate: CalibrateRecipe
    recognisability: RecognisabilityRecipe
    plainness: PlainnessRecipe | None = None

    @model_validator(mode="after")
    def _consistent(self) -> BuildRecipe:
        if (self.join is None) != (self.hubness is None):
            raise ValueError("[join] and [hubness] make one network: give both or neither")
        return self

    def distillation(self) -> Recipe:
        """Return the recipe of the student's run; raises ``FileNotFoundError`` for none."""
        recipe = load_recipe(self.distill.recipe)
        return recipe.model_copy(update={"steps": self.distill.steps})


class JoinedRecipe(Record):
    """How two networks become one: a build's ``[join]`` and ``[hubness]``."""

    join: JoinRecipe
    hubness: HubnessRecipe


def load_build_recipe(name_or_path: str = SHIPPED, settings: Sequence[str] = ()) -> BuildRecipe:
    """Return a build's recipe by its name in ``training/recipes/build`` or by a TOML file's path.

    A file with ``extends = "<recipe>"`` states only what differs from that recipe; unknown keys and
    missing ones are refused. ``settings`` change keys of it.
    """
    return load_document(BuildRecipe, name_or_path, BUILDS, settings)


def interpolate_recipe(recipe: BuildRecipe) -> InterpolateRecipe:
    """Return how far back a build goes; raises ``DataError`` where it does not."""
    if recipe.interpolate is None:
        raise DataError(f"build recipe {recipe.name} has no [interpolate]")
    return recipe.interpolate


def joined_recipe(recipe: BuildRecipe) -> JoinedRecipe:
    """Return how a build joins two networks; raises ``DataError`` where it joins none."""
    if recipe.join is None or recipe.hubness is None:
        raise DataError(f"build recipe {recipe.name} joins no networks: it has no [join]")
    return JoinedRecipe(join=recipe.join, hubness=recipe.hubness)
