"""Where the weights of a ``learn`` run come from, as a manifest keeps it and as a card tells it."""

from __future__ import annotations

from typing import Literal

from training.foundation.precision import AUTO
from training.foundation.records import Record
from training.foundation.sheets import Sheet, markdown
from training.recipes.metric_recipe import MetricRecipe


class LearnedOrigin(Record):
    """Weights made by ``training learn``: the recipe, and what the run found on held-out images.

    ``licence`` is the words of whoever exported it, None where nothing was stated. ``grey``: the
    network never saw a colour, so that the module shows it none.
    """

    kind: Literal["learned"] = "learned"
    recipe: MetricRecipe
    steps: int
    best_step: int
    seconds: float
    images: dict[str, int]
    measures: dict[str, float]
    grey: bool
    licence: str | None

    @property
    def network(self) -> str:
        """What kind of network this is, in words."""
        backbone = self.recipe.backbone
        side = self.recipe.data.transform.size
        colour = " in grey" if self.grey else ""
        return f"{backbone.name}, {backbone.embedding_dim} numbers, looks at {side} px{colour}"

    def story(self) -> str:
        """Return the recipe, the run's own figures and the licence, in Markdown."""
        recipe, transform = self.recipe, self.recipe.data.transform
        sources = ", ".join(
            s.name or (s.path.name if s.path else s.kind) for s in recipe.data.sources
        )
        started = " from given weights" if recipe.backbone.weights else ""
        precision = "" if recipe.precision == AUTO else f" in {recipe.precision}"
        figures = Sheet(
            "", ("measure", "value"), tuple((k, f"{v:.4f}") for k, v in self.measures.items())
        )
        return f"""Learned by `training learn`{started}{precision}: recipe `{recipe.name}`, loss
`{recipe.loss.name}`, batches by `{recipe.sampler.name}`, {self.steps:,} steps
({self.seconds / 60:.1f} minutes), the weights of step {self.best_step:,}. Pictures: {sources};
{self.images.get("train", 0):,} to learn from, held out by `{recipe.data.divide}`. They were
fitted by `{transform.fit}` to {transform.size} px; at the door the network sees the aligned 112 px
crop, resized inside the module.

The run's own figures, on {self.images.get("test", 0):,} images that it held out:

{markdown(figures)}

{stated_licence(self.licence, "the pictures that it learned from, and thus of the weights")}"""

    def held_out(self) -> str:
        """Return what is known of the people of a calibration being others than those learned."""
        return (
            "None of them was learned from: by the names of identities and by the pixels of "
            "pictures, checked when this was written"
        )

    def commands(self, folder: str, version: str) -> str:
        """Return the commands that make these weights again, and this folder."""
        name = self.recipe.name
        licence = "" if self.licence is None else f' --licence "{self.licence}"'
        return (
            f"python -m training learn {name} --run runs/{name} --seed {self.recipe.seed}\n"
            f"# PEOPLE and STRANGERS are folders of pictures; this makes {folder}\n"
            f"python -m training export --checkpoint runs/{name} --version {version} "
            f"--people PEOPLE --strangers STRANGERS{licence}"
        )


class OnnxOrigin(Record):
    """An ONNX network of others, with what it needs before and after it added to its graph."""

    kind: Literal["onnx"] = "onnx"
    network: str
    file: str
    sha256: str
    source: str | None
    preprocess: str
    bgr: bool
    output: str | None
    licence: str | None
    command: str

    def story(self) -> str:
        """Return where the file comes from, how it is fed and under which licence, in Markdown."""
        channels = "BGR" if self.bgr else "RGB"
        whence = "" if self.source is None else f" from {self.source}"
        return f"""Imported, not trained here: `{self.file}`{whence}, SHA-256 `{self.sha256}`. The
network is as published; before it its graph now turns RGB bytes into {channels} of the range
`{self.preprocess}`, and behind it brings its answer to unit length.

{stated_licence(self.licence, "the weights")} Thresholds and calibration were fitted here, and the
pictures for it are no part of the weights."""

    def held_out(self) -> str:
        """Return what is known of the people of a calibration being others than those learned."""
        return (
            "Whether the network learned from any of them is not known here; where it did, every "
            "figure below flatters"
        )

    def commands(self, folder: str, version: str) -> str:
        """Return the command that makes this folder again."""
        return f"# make this folder, version {version}, in {folder}\n{self.command}"


def stated_licence(licence: str | None, of: str) -> str:
    """Return what whoever made a model's folder stated, or that nothing was."""
    if licence is None:
        return (
            f"**Licence.** Not stated: that of {of} has to be found out before this folder is "
            "passed on or put to use."
        )
    return f"**Licence.** Of {of}, as stated by whoever made this folder: {licence}."
