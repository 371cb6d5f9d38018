"""A network of one's own from a folder of faces to a door, by the commands that anybody would use.

Twice: a small network that learned from invented people, and one that learned from digits and has
never seen a face. Both are calibrated on the same few invented people, and say what they may
promise.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
from rich.console import Console

from app.domain.intervals import interval_of_share
from app.domain.model_manifest import ModelManifest
from app.domain.policy import attempt_rate
from training.data.invented_people import InventedPerson, invented_people
from training.demo.service import RunningService, running_service
from training.engines.learned_from import name_marks, read_learned_from
from training.foundation.files import write_text

#: Of the invented people so many are strangers; of the others a third is held out by the run.
STRANGERS = 11
ENROLLED = 4
#: A weak network cannot tell that several photos are of one person, and none would be taken.
ENROLLED_PHOTOS = 1
#: No setting of the service states a risk of an attempt of a half or more.
HIGHEST_RISK = 0.49
ROOT = Path(__file__).resolve().parents[2]

PEOPLE_RECIPE = """name = "own-people"
steps = {steps}
evaluate_every = {steps}
seed = 1
precision = "fp32"

[data]
sources = [{{ kind = "folders", path = "{known}" }}]
divide = "identities"
validation = 0.0
test = 0.4
transform = {{ size = 48, fit = "align" }}

[backbone]
name = "small-cnn"
embedding_dim = 64

[loss]
name = "triplet"

[miner]
name = "batch-hard"

[sampler]
name = "identities"
identities = 6
images = 4
"""
DIGITS_RECIPE = """name = "own-digits"
steps = {steps}
evaluate_every = {steps}
seed = 1
precision = "fp32"

[data]
sources = [{{ kind = "digits" }}]
divide = "split"
validation = 0.0
transform = {{ size = 32, fit = "stretch" }}

[loss]
name = "triplet"

[miner]
name = "batch-hard"

[sampler]
name = "identities"
identities = 10
images = 4
"""
RECIPES = {"people": PEOPLE_RECIPE, "digits": DIGITS_RECIPE}


class CommandFailedError(RuntimeError):
    """A command of this package ended with an error; the message holds what it said."""


@dataclass(frozen=True)
class DoorOutcome:
    """What a network of one's own did at a door, and what it may promise there.

    ``verified`` of ``claims``: photos of enrolled people accepted as whom they are (1:1);
    ``unknown`` of ``strangers``: photos of strangers who are taken for nobody (1:N).
    ``highest_probability``: the highest that any answer gave.
    """

    model_version: str
    stated_risk: float
    promised_risk: float
    kept: bool
    cannot_promise: tuple[str, ...]
    enrolled: int
    verified: int
    claims: int
    unknown: int
    strangers: int
    highest_probability: float

    @property
    def within_promise(self) -> bool:
        """Whether strangers were not surely taken for somebody more often than was promised.

        Surely: by the interval of 95 % (Clopper and Pearson) that counts people, not their photos.
        """
        taken = (self.strangers - self.unknown) / self.strangers
        low, _ = interval_of_share(taken, STRANGERS)
        return low <= self.promised_risk


def run_own_network(folder: Path, what: str, steps: int, console: Console) -> DoorOutcome:
    """Learn from ``what``, "people" or "digits", export, calibrate, serve and ask.

    ``folder`` takes pictures, run, model and the service's data. Raises ``CommandFailedError``.
    """
    known, strangers = _pictures(folder)
    recipe = folder / f"own-{what}.toml"
    write_text(recipe, RECIPES[what].format(steps=steps, known=known.as_posix()))
    run, model = folder / f"run-{what}", folder / "models" / what
    _command(console, "learn", str(recipe), "--run", str(run))
    _command(
        console,
        "export",
        *("--checkpoint", str(run), "--version", what, "--out", str(model.parent)),
        *("--people", str(known), "--strangers", str(strangers), "--align", "--leave-out-learned"),
        *("--licence", "invented people, made for this repository", "--replace"),
    )
    manifest = ModelManifest.from_json(json.loads((model / "manifest.json").read_text()))
    risk = supported_risk(manifest, ENROLLED)
    settings = {
        "FACEGATE_MODEL_DIR": str(model),
        "FACEGATE_TARGET_FPIR": str(risk),
        "FACEGATE_TARGET_FMR": str(risk),
    }
    people = invented_people(known)
    learned = _learned_names(model, people)
    door = [person for person in people if person.name not in learned][:ENROLLED]
    with running_service(folder / f"service-{what}", settings) as service:
        outcome = _ask(service, door, invented_people(strangers), risk)
    _tell(what, outcome, console)
    return outcome


def supported_risk(manifest: ModelManifest, people: int) -> float:
    """Return the rarest risk that a model supports against ``people``, rounded up to a hundredth.

    Raises ``CommandFailedError`` where it is none that the service can be set to.
    """
    attempt = max(tail.rarest_attempt for tail in manifest.tails)
    comparison = max(tail.rarest_rate for tail in manifest.tails)
    needed = max(attempt, attempt_rate(min(comparison, HIGHEST_RISK), people))
    risk = math.ceil(100 * needed) / 100
    if risk > HIGHEST_RISK or comparison > HIGHEST_RISK:
        raise CommandFailedError(f"this model supports no risk below a half: {risk:g}")
    return risk


def _pictures(folder: Path) -> tuple[Path, Path]:
    """Copy the invented people into a folder of known ones and one of strangers."""
    known, strangers = folder / "known", folder / "strangers"
    if not known.is_dir():
        people = sorted(invented_people(), key=lambda person: person.name)
        for number, person in enumerate(people):
            target = strangers if number < STRANGERS else known
            shutil.copytree(person.photos[0].parent, target / person.name)
    return known, strangers


def _learned_names(model: Path, people: Sequence[InventedPerson]) -> set[str]:
    """Return who of the people the run learned from, by the record in the model's folder."""
    record = read_learned_from(model)
    marks = set() if record is None else set(record.identities)
    return {person.name for person in people if name_marks(person.name) & marks}


def _command(console: Console, *words: str) -> None:
    """Run a command of this package as a user does; raises ``CommandFailedError``."""
    console.print(f"$ python -m training {' '.join(words)}", style="bold", highlight=False)
    done = subprocess.run(  # noqa: S603 - our own command, on files made here
        [sys.executable, "-m", "training", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandFailedError(f"training {words[0]} failed: {done.stderr[-3000:]}")
    told = [line for line in done.stdout.splitlines() if "support" in line or "R@1" in line]
    console.print("\n".join(told), highlight=False)


def _ask(
    service: RunningService,
    people: Sequence[InventedPerson],
    strangers: Sequence[InventedPerson],
    risk: float,
) -> DoorOutcome:
    probabilities: list[float] = []
    with httpx2.Client(base_url=service.url, timeout=60.0) as client:
        for person in people:
            _enroll(client, person)
        verified = [
            _asked(client, f"/v1/employees/{person.name}/verify", photo, probabilities)["decision"]
            for person in people
            for photo in person.photos
        ]
        unknown = [
            _asked(client, "/v1/verify", photo, probabilities)["decision"]
            for person in strangers
            for photo in person.photos[1:]  # the first of each calibrated the network
        ]
        policy = client.get("/v1/policy").json()
    return DoorOutcome(
        model_version=policy["model_version"],
        stated_risk=risk,
        promised_risk=policy["identify"]["promised_rate"],
        kept=policy["identify"]["kept"],
        cannot_promise=tuple(policy["evidence"]["cannot_promise"]),
        enrolled=policy["people"],
        verified=verified.count("match"),
        claims=len(verified),
        unknown=unknown.count("unknown"),
        strangers=len(unknown),
        highest_probability=max(probabilities),
    )


def _enroll(client: httpx2.Client, person: InventedPerson) -> None:
    """Enroll a person; a weak network takes people for each other, which is confirmed away."""
    answer = client.post(
        "/v1/enroll",
        data={
            "employee_id": person.name,
            "full_name": f"Invented {person.name}",
            "confirm_distinct": "true",
        },
        files=[("photos", (p.name, p.read_bytes())) for p in person.photos[:ENROLLED_PHOTOS]],
    )
    if answer.is_error:
        raise CommandFailedError(f"{person.name} was not enrolled: {answer.text}")


def _asked(
    client: httpx2.Client, url: str, photo: Path, probabilities: list[float]
) -> dict[str, object]:
    answer = client.post(url, files={"photo": (photo.name, photo.read_bytes())})
    answer.raise_for_status()
    body: dict[str, object] = answer.json()
    probabilities.append(float(str(body["probability"])))
    return body


def _tell(what: str, outcome: DoorOutcome, console: Console) -> None:
    held = "kept" if outcome.kept else "not supported"
    console.print(
        f"learned from {what}: {outcome.verified} of {outcome.claims} photos of enrolled people "
        f"verified, {outcome.unknown} of {outcome.strangers} photos of strangers unknown; no "
        f"probability above {outcome.highest_probability:.3f}\n"
        f"it may promise: of strangers at most {outcome.promised_risk:.2g} are taken for one of "
        f"{outcome.enrolled} enrolled (stated {outcome.stated_risk:g}, {held}), and\n"
        + "\n".join(f"- {sentence}" for sentence in outcome.cannot_promise),
        highlight=False,
    )
