"""The model card, written from the manifest and the evaluation: every figure comes from a file."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.model_manifest import ModelManifest
from app.domain.shortcomings import shortcomings
from training.calibration.calibration_sheets import calibration_sheets
from training.calibration.results import MANIFEST_KEYS, Calibration, CalibrationSupport
from training.evaluation.evaluation_sheets import evaluation_sheets
from training.evaluation.results import Evaluation
from training.export.beside import beside_text
from training.export.learned_origin import LearnedOrigin, OnnxOrigin
from training.export.origin import ORIGIN, BuildOrigin
from training.export.parity import Parity
from training.export.provenance import DataFile
from training.foundation.sheets import Sheet, markdown


class _Facts:
    """The manifest's parts as records."""

    def __init__(self, manifest: Mapping[str, object], folder: str) -> None:
        self.folder = folder
        self.name, self.version = str(manifest["name"]), str(manifest["version"])
        self.sha256 = str(manifest["sha256"])
        self.embedding_dim = manifest["embedding_dim"]
        self.origin = ORIGIN.validate_python(manifest["origin"])
        build = manifest.get("build")
        self.build = None if build is None else BuildOrigin.model_validate(build)
        self.parity = Parity.model_validate(manifest["parity"])
        files = manifest["data"]
        self.files = (
            [DataFile.model_validate(entry) for entry in files] if isinstance(files, list) else []
        )
        evidence = _mapping(manifest["calibration_evidence"])
        self.calibration = Calibration.model_validate(
            {**evidence, **{key: manifest[key] for key in MANIFEST_KEYS if key in manifest}}
        )
        self.libraries = _mapping(manifest["libraries"])
        self.file, self.is_onnx = str(manifest["file"]), manifest["format"] == "onnx"
        own = self.calibration.support is not None
        self.shortcomings = shortcomings(ModelManifest.from_json(manifest)) if own else ()


def model_card(
    manifest: Mapping[str, object],
    evaluation: Evaluation | None,
    folder: str,
    beside: Evaluation | None = None,
    proof: str | None = None,
    recognisability: str | None = None,
    rebuilt: str | None = None,
    plainness: str | None = None,
) -> str:
    """Return the card in Markdown; without an evaluation it says which command makes one.

    ``folder`` is where the model lies, as commands name it; ``beside`` the figures of another model
    to compare it with, ``proof`` the tables of ``training study proof``, ``recognisability``
    and ``plainness`` those of the commands of these names, ``rebuilt`` those of ``training study
    rebuilt``.
    """
    facts = _Facts(manifest, folder)
    parts = [
        _head(facts),
        _origin(facts),
        _figures(facts, evaluation),
        *([beside_text(evaluation, beside)] if evaluation and beside else []),
        _thresholds(facts),
        *([_recognisability(manifest, recognisability)] if recognisability else []),
        *([_plainness(manifest, plainness)] if plainness else []),
        *([_proof(proof)] if proof else []),
        _limits(facts, evaluation),
        _commands(facts, rebuilt),
    ]
    return "\n\n".join(parts) + "\n"


def _head(facts: _Facts) -> str:
    identify = facts.calibration.thresholds.identify
    parity, before = facts.parity, "as it came" if facts.is_onnx else "trained"
    return f"""# {facts.name} {facts.version}

Turns an aligned face crop into a unit vector of {facts.embedding_dim} numbers; the cosine of two of
them says how alike two faces are. This card is written by `python -m training card` from
`manifest.json` and `evaluation.json`; do not edit it.

- Input: RGB uint8 `(N, 3, 112, 112)`, five landmarks on the ArcFace template. Scaling and unit norm
  are inside.
- Network: {facts.origin.network}.
- A similarity of **{identify.similarity - _max_shift(facts):.3f}** is reached by
  {identify.false_match_rate:g} of the pairs of photos of different people ({identify.population}).
  The service's threshold follows from the stated risk, from the number of people enrolled and from
  how many photos each has (`GET /v1/policy`).
- File: {_file(facts)},
  SHA-256 `{facts.sha256}`.
- Parity on {parity.crops} crops: {before} against exported {parity.eager_difference:.1e}, one crop
  against a row of {parity.row} {parity.row_difference:.1e} (largest difference of a coordinate;
  {parity.tolerance:g} and {parity.row_tolerance:g} are tolerated); lowest cosine
  {parity.min_cosine:.6f}."""


def _file(facts: _Facts) -> str:
    """Return the file's name and how it is read."""
    if facts.is_onnx:
        return f"`{facts.file}`, ONNX, run by OpenVINO"
    weights = facts.parity.weights
    return f"`{facts.file}`, TorchScript, {weights} weights (call `.float()` after loading)"


def _origin(facts: _Facts) -> str:
    files = Sheet(
        "",
        ("file", "for", "SHA-256"),
        tuple(
            (file.path, file.role, f"`{file.sha256[:16]}…`" if file.sha256 else "not at hand")
            for file in facts.files
        ),
    )
    versions = ", ".join(f"{name} {value}" for name, value in facts.libraries.items())
    return f"""## Where it comes from

{facts.origin.story()}

Files used (full hashes in the manifest); made with {versions}:

{markdown(files)}"""


def _figures(facts: _Facts, evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return (
            "## Figures\n\nNot measured yet: "
            f"`python -m training evaluate --model {facts.folder}`, then "
            f"`python -m training card --model {facts.folder}`."
        )
    tables = "\n\n".join(
        f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in evaluation_sheets(evaluation)
    )
    return f"""## Figures

Plain centre crop, one view. In brackets 95 % intervals: Student's t over folds, exact binomial for
listed pairs, else bootstraps that resample people, never narrower than binomial. LFW trained,
tuned and calibrated nothing of this model; `val` serves for choices, thresholds and calibration, so
that its figures may flatter. FNIR counts a probe as missed if its person is not on top or below the
threshold.

{tables}"""


def _thresholds(facts: _Facts) -> str:
    calibration = facts.calibration
    tables = "\n\n".join(
        f"**{sheet.title}**\n\n{markdown(sheet)}" for sheet in calibration_sheets(calibration)
    )
    tails = "\n".join(
        f"- {tail.population}: {tail.evidence}." for tail in calibration.impostor_tails
    )
    excluded = calibration.excluded
    note = excluded.note[0].upper() + excluded.note[1:]
    if calibration.support is not None:
        return _own_thresholds(facts, calibration.support, tails, tables)
    return f"""## Thresholds and probabilities

Fitted on validation people and strangers only. The service reads the threshold of a stated risk off
the tails below, at their upper bounds, in the group and gender that asks for the most, because a
staff is often of one region. A centroid of several photos is closer to everybody than one photo is:
people with several have a higher threshold, by photos enrolled up to {_max_shift(facts):.3f}. The
defaults in the table are what FMR 1e-4 (1:N) and 1e-3 (1:1) a comparison give for people with the
most photos, without a stated risk; for people with one photo the service asks for that much less.

{tails}
- Left out: {len(excluded.pairs)} pairs. {note}. With them the default would be
  {excluded.identify_if_kept:.3f}.

{tables}"""


def _own_thresholds(facts: _Facts, support: CalibrationSupport, tails: str, tables: str) -> str:
    """Return the same of a model that was calibrated on its operator's own people."""
    held_out = (
        facts.origin.held_out()
        if isinstance(facts.origin, LearnedOrigin | OnnxOrigin)
        else "They are others than the training pictures' only as far as whoever made this knows"
    )
    return f"""## Thresholds and probabilities

Fitted on {support.people} people with {support.photos} photos and on {support.strangers} strangers
of the operator's own, and on nobody else. {held_out}. The service promises no risk that is rarer
than so many support (rule of three: none in n says below 3/n), in no group that was not measured,
and says so in `GET /v1/policy`. "val" in the tables are these people.

{tails}

{tables}"""


def _proof(tables: str) -> str:
    return f"""## Promises, kept

Stated risks against met ones, errors by group, probabilities and verdicts, the ways to enroll and
their guards, quality limits and bursts, by `make prove`; what they mean stands in `docs/trust.md`,
the planted audit of this model in `docs/audit-and-drift.md`.

{tables.strip()}"""


def _recognisability(manifest: Mapping[str, object], tables: str) -> str:
    evidence = _mapping(manifest["recognisability"])["evidence"]
    return f"""## Recognisability

What this network cannot read falls into a few clusters, where everybody matches everybody. A face's
recognisability is its distance to the nearest of their centres, 0 to 1; below the limits it is not
enrolled and not decided on. Made by `python -m training recognisability`: {evidence}.

{tables.strip()}"""


def _plainness(manifest: Mapping[str, object], tables: str) -> str:
    entry = _mapping(manifest["plainness"])
    return f"""## Plainness

Different people who are covered or altered in the same way look alike to this network, which reads
what is left of each face well. `{entry["file"]}` looks at the crop itself and says how surely a
face is neither covered nor altered, 0 to 1; below the limit it is not enrolled, while a door takes
it. Made by `python -m training plainness`: {entry["evidence"]}.

{tables.strip()}"""


def _max_shift(facts: _Facts) -> float:
    """Return how much more is asked against the mean of the most photos than against one."""
    return max((one.shift for one in facts.calibration.centroid_shifts), default=0.0)


def _limits(facts: _Facts, evaluation: Evaluation | None) -> str:
    fairness = "".join(f"\n- It promises {sentence}." for sentence in facts.shortcomings)
    if evaluation is not None:
        strangers = evaluation.strangers
        fairness += (
            f"\n- **False matches differ by group**: at one threshold, {strangers.worst_pool} "
            f"strangers match {strangers.worst_over_overall:.1f} times as often as strangers "
            "overall. Groups below 400 people are reported above and set no threshold; their "
            "intervals are wide."
        )
    return f"""## Limits
{fairness}
- The threshold's rate is of one comparison. Against N enrolled people a stranger is taken for
  somebody about N times as often.
- Part of a group's rate is the style that its pictures share; the photos of one company's badges
  share a style too. Measure on your own staff before relying on a rate.
- Thresholds hold within the worst measured group, or with `FACEGATE_PROMISE_FOR=mixed` for
  strangers of all groups mixed only; probabilities are fitted on strangers of all groups mixed, so
  that for a staff of one group they are too sure of an employee.
- Strangers have one photo each, so that rates within a group are of single photos; for centroids
  they are these plus the measured shift.
- It does not notice a photo held before the camera, nor tell twins apart; children and masked faces
  were not measured.
- {facts.parity.weights} storage and another CPU change an embedding by about
  {facts.parity.eager_difference:.0e}."""


def _commands(facts: _Facts, rebuilt: str | None) -> str:
    commands = (
        f"""{facts.origin.commands(facts.folder, facts.version)}
python -m training evaluate --model {facts.folder}
python -m training card --model {facts.folder}"""
        if facts.build is None
        else facts.build.commands(facts.version)
    )
    return f"""## Commands

```
{commands}
```

The data folder is `--data` or `FACEGATE_TRAINING_DATA`.{_again(facts, rebuilt)}"""


def _again(facts: _Facts, rebuilt: str | None) -> str:
    """Return what building the model again comes to."""
    if rebuilt is not None:
        return f"""

## Built again

By `training build` from the student in this file, and compared by `training study rebuilt`: what
does not differ below is the same number. Whatever is fitted to the training pictures is fitted
anew, in the numbers that the CPU calculates in.

{rebuilt.strip()}"""
    if facts.build is None:
        return (
            " This model was made step by step, before\n`training build` was one command; what "
            "building it again comes to stands in `docs/training.md`."
        )
    return ""


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("the manifest has no such part")
    return {str(key): entry for key, entry in value.items()}
