"""Where trained weights come from: runs, recipes and the start, as a manifest keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from training.export.licences import licence_of, weights_licence
from training.foundation.precision import AUTO
from training.foundation.records import Record
from training.foundation.sheets import Sheet, markdown
from training.recipes.recipe import MobileRecipe, Recipe, SFaceRecipe


class EarlierRun(Record):
    """A run whose weights a later one started from, by the name of its recipe."""

    recipe: str
    batch_size: int
    steps: int
    seconds: float


class TrainedOrigin(Record):
    """Weights made by ``training distill``: the last run with its recipe, and those before it.

    ``trained_share`` below 1: the weights lie that far from the published start to the run's end.
    """

    kind: Literal["trained"] = "trained"
    recipe: Recipe
    steps: int
    hours: float
    earlier_runs: tuple[EarlierRun, ...] = ()
    trained_share: float = 1.0

    @property
    def network(self) -> str:
        """What kind of network this is, in words."""
        student = self.recipe.student
        if isinstance(student, MobileRecipe):
            return "MobileFaceNet with squeeze-and-excitation, normalisation folded, 1.1 M weights"
        if isinstance(student, SFaceRecipe):
            return "SFace with a linear layer behind it, 9.7 M weights"
        widths = "/".join(map(str, student.widths))
        blocks = "/".join(map(str, student.blocks))
        return (
            f"dense ReLU residual network, channels {widths}, blocks {blocks}, "
            "global depthwise head"
        )

    @property
    def runs(self) -> tuple[EarlierRun, ...]:
        """The earlier runs and, as the last, the one that made the weights."""
        last = EarlierRun(
            recipe=self.recipe.name,
            batch_size=self.recipe.batch_size,
            steps=self.steps,
            seconds=self.hours * 3600,
        )
        return (*self.earlier_runs, last)

    @property
    def knows_identities(self) -> bool:
        """Whether any source says who is the same person."""
        return any(source.labelled for source in self.recipe.sources)

    def story(self) -> str:
        """Return the schedule, sources, teachers and licence in Markdown."""
        runs = ", then ".join(
            f"recipe `{run.recipe}` for {run.steps:,} steps of {run.batch_size} crops "
            f"({run.seconds / 3600:.2f} hours)"
            for run in self.runs
        )
        seen = sum(run.steps * run.batch_size for run in self.runs)
        fitted_on = "identities" if self.knows_identities else "people who are certainly different"
        corrected = (
            f" (corrected by a linear head fitted on {fitted_on})" if self.recipe.correction else ""
        )
        known = "who is\nthe same person, and " if self.knows_identities else ""
        sources = Sheet(
            "",
            ("source", "share of a batch", "licence of the pictures"),
            tuple((s.name, f"{s.share:.1%}", licence_of(s.name)) for s in self.recipe.sources),
        )
        names = [teacher.name for teacher in self.recipe.teachers]
        teachers = Sheet(
            "", ("teacher", "licence"), tuple((name, licence_of(name)) for name in names)
        )
        return f"""{self._start()}Schedule: {runs}; {seen:,} crops seen in all. Trained towards its
teachers' embeddings{corrected} and on what the data knows itself: {known}who is certainly
somebody else.{self._precision()}{self._average()}{self._mean()}

{markdown(sources)}

{markdown(teachers)}

{weights_licence([source.name for source in self.recipe.sources], self._started_from)}"""

    def final_checkpoint(self, runs: str = "runs") -> str:
        """Return where ``training_commands`` leave these weights."""
        return f"{runs}/{'mean' if self.trained_share < 1 else len(self.runs)}/checkpoint.pt"

    def _precision(self) -> str:
        """Return in which numbers the last run calculated, where that was recorded."""
        precision = self.recipe.precision
        return "" if precision == AUTO else f" The network was trained in {precision}."

    def _average(self) -> str:
        """Return which of the run's weights these are, where they are not the last ones."""
        decay = self.recipe.ema_decay
        if decay is None:
            return ""
        return (
            " The weights are the exponential moving\naverage of those of the run, "
            f"decay {decay:g}."
        )

    def _mean(self) -> str:
        """Return how weights that lie between start and end came about."""
        if self.trained_share == 1:
            return ""
        return (
            " Then every weight was set between the start and what\ntraining had made of it, "
            f"{self.trained_share:.0%} of the way (Wortsman et al., CVPR 2022), and\nthe last layer"
            " was fitted to the corrected teachers once more."
        )

    @property
    def _started_from(self) -> str | None:
        """Whose weights the first run started from, where they were not random."""
        student = self.recipe.student
        if isinstance(student, SFaceRecipe):
            return "sface"
        if isinstance(student, MobileRecipe):
            return Path(student.start).name.removesuffix(".ts.pt")
        return None

    def _start(self) -> str:
        """Return in words whose weights the first run started from, and what changed."""
        student, name = self.recipe.student, self._started_from
        if name is None:
            return ""
        if isinstance(student, MobileRecipe):
            changed = (
                f"All of them were trained on. The last layer was fitted anew,\n{_reads(student)}"
            )
        if isinstance(student, SFaceRecipe):
            changed = (
                f"What looks at maps of {student.trained_side} px or less was trained on; earlier "
                "layers and all\nstatistics are as published. A linear layer behind it was fitted."
            )
        return (
            f"**Start.** Not random weights but those of {name}, {licence_of(name)},\n"
            f"whose network this is. {changed}\n\n"
        )

    def training_commands(self, runs: str = "runs") -> list[str]:
        """Return the commands that train these weights again, run by run, below ``runs``."""
        lines = ["# train; --resume goes on from a checkpoint that was interrupted"]
        for number, run in enumerate(self.runs, start=1):
            start = f" --init-from {runs}/{number - 1}/checkpoint.pt" if number > 1 else ""
            lines.append(
                f"python -m training distill --recipe {run.recipe} --run {runs}/{number}{start} "
                f"--minutes {run.seconds / 60:.0f}"
            )
        if self.trained_share < 1:
            lines.append(
                f"python -m training interpolate "
                f"--checkpoint {runs}/{len(self.runs)}/checkpoint.pt "
                f"--share {self.trained_share:g} --run {runs}/mean"
            )
        return lines

    def commands(self, folder: str, version: str) -> str:
        """Return the commands that make these weights again and go on from them."""
        lines = [
            *self.training_commands(),
            "# continue from these weights, which are in the repository",
            f"python -m training distill --recipe {self.recipe.name} "
            f"--init-from {folder}/embedder.pt",
            "# make this folder, its figures and this card",
            f"python -m training export --checkpoint {self.final_checkpoint()} --version {version}",
        ]
        return "\n".join(lines)


def _reads(student: MobileRecipe) -> str:
    """Return which picture the network looks at."""
    if student.published_crop:
        return "and it reads RGB: its own 128 px picture, cut out of the 112 px ArcFace crop."
    return (
        "the learned pooling was resampled from 8 x 8 to 7 x 7 positions, and it reads the\n"
        "112 px ArcFace crop in RGB, not its own 128 px crop in BGR."
    )
