"""What a preview shows of a recipe: its images, how they are fitted and how they are changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.crops import CROP_SIZE
from training.data.images import ImageSet
from training.data.learning_parts import recipe_images
from training.data.sources import source_images
from training.recipes.augment_recipe import GenericAugmentRecipe
from training.recipes.documents import RECIPES, read_document
from training.recipes.metric_recipe import METRIC_RECIPES, load_metric_recipe
from training.recipes.recipe import AugmentRecipe, load_recipe
from training.recipes.transform_recipe import TransformRecipe


@dataclass(frozen=True)
class Previewed:
    """Images with the transform and the augmentation that a run gives them."""

    images: ImageSet
    transform: TransformRecipe
    changes: GenericAugmentRecipe | AugmentRecipe


def names_recipe(what: str) -> bool:
    """Return whether ``what`` is a recipe: a TOML file, or a shipped one's name and no path."""
    if what.endswith(".toml"):
        return True
    shipped = [(folder / f"{what}.toml").is_file() for folder in (METRIC_RECIPES, RECIPES)]
    return any(shipped) and not Path(what).exists()


def previewed_recipe(name_or_path: str, root: Path, settings: Sequence[str] = ()) -> Previewed:
    """Return what a recipe of ``learn``, or of ``distill``, shows of its data below ``root``.

    Raises what reading the recipe and its sources raises.
    """
    if _is_distillation(name_or_path):
        distilled = load_recipe(name_or_path, settings)
        fitted = TransformRecipe(size=CROP_SIZE, fit="stretch")
        return Previewed(source_images(distilled, root), fitted, distilled.augment)
    recipe = load_metric_recipe(name_or_path, settings)
    return Previewed(recipe_images(recipe, root), recipe.data.transform, recipe.augment)


def _is_distillation(name_or_path: str) -> bool:
    """Return whether a recipe has teachers and no ``[data]``, which every run of learning has."""
    if not name_or_path.endswith(".toml"):
        return not (METRIC_RECIPES / f"{name_or_path}.toml").is_file()
    try:
        return "data" not in read_document(name_or_path, METRIC_RECIPES)
    except FileNotFoundError:  # it extends a recipe of another folder
        return Path(name_or_path).is_file()
