"""Steps from file to file: each is made once, and again only where something went into it anew.

Beside what a step made lies a record of the settings and the hashes of the files that it was made
from, and of what came out. A step whose record still holds is skipped, so that an interrupted build
goes on where it was, and a changed setting makes anew whatever follows from it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue, ValidationError

from training.foundation.errors import DataError
from training.foundation.files import file_hash, folder_made_whole, write_text
from training.foundation.records import Record

RECORD = "step.json"


@dataclass(frozen=True)
class Step:
    """One step: its name, the settings that decide it, the files it reads, and how it is made.

    ``make`` writes into an empty folder, which takes its place when it is whole. ``kept_in_place``
    are the results of a step that writes where it stays, so that it can go on after a stop: it is
    given what it left.
    """

    name: str
    settings: Mapping[str, JsonValue]
    inputs: Mapping[str, Path]
    make: Callable[[Path], None]
    kept_in_place: tuple[str, ...] = ()


class StepRecord(Record):
    """What a step was made from, and the hashes of what it made; none while it is being made."""

    settings: dict[str, JsonValue]
    inputs: dict[str, str]
    outputs: dict[str, str]


@dataclass
class StepRunner:
    """Runs steps below ``folder`` and says what it does, or skips and why.

    Hashes of files that no step makes are read once.
    """

    folder: Path
    tell: Callable[[str], None]
    hashes: dict[Path, str] = field(default_factory=dict)

    def run(self, step: Step) -> Path:
        """Make a step, or skip it; return the folder of what it made.

        Raises ``DataError`` where a file that it reads is missing.
        """
        target = self.folder / step.name
        wanted = StepRecord(
            settings=dict(step.settings),
            inputs={name: self._hash(path) for name, path in step.inputs.items()},
            outputs={},
        )
        refuse_foreign(target)
        found = read_record(target)
        reason = _reason(found, wanted, target)
        if reason is None:
            self.tell(f"{step.name}: skipped, made from the same settings and files")
            return target
        self.tell(f"{step.name}: {reason}")
        if step.kept_in_place:
            _make_in_place(step, target, wanted, begun=_same_origin(found, wanted))
        else:
            with folder_made_whole(target, replace=True) as partial:
                step.make(partial)
                outputs = _hashes(partial, _files_of(partial))
                _write_record(partial, wanted, outputs)
        return target

    def _hash(self, path: Path) -> str:
        if path.is_relative_to(self.folder):
            found = _content_hash(path)
        else:
            found = self.hashes.get(path) or _content_hash(path)
        if found is None:
            raise DataError(f"{path} does not exist")
        self.hashes[path] = found
        return found


def refuse_foreign(folder: Path) -> None:
    """Raise ``DataError`` where a folder that a step would replace was made by something else."""
    if folder.exists() and read_record(folder) is None:
        raise DataError(f"{folder} holds no record of a build's step; name another --run")


def require_inputs(steps: Sequence[Step], made_below: Path) -> None:
    """Raise ``DataError`` that names every file the steps read and nobody has.

    What lies ``made_below`` is made by the steps themselves.
    """
    missing = sorted(
        {
            str(path)
            for step in steps
            for path in step.inputs.values()
            if not path.is_relative_to(made_below) and not path.exists()
        }
    )
    if missing:
        raise DataError(f"nothing was begun, for these are missing: {', '.join(missing)}")


def read_record(folder: Path) -> StepRecord | None:
    """Return the record of a step's folder; None where there is none that can be read."""
    try:
        return StepRecord.model_validate_json((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def copy_made(source: Path, target: Path) -> None:
    """Copy what a step made, without its record, into an existing folder."""
    for name in _files_of(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


def made_files(folder: Path) -> dict[str, str]:
    """Return the hashes of what a step made by name, its record left out."""
    return _hashes(folder, _files_of(folder))


def _make_in_place(step: Step, target: Path, wanted: StepRecord, *, begun: bool) -> None:
    if not begun:
        shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    _write_record(target, wanted, {})
    step.make(target)
    _write_record(target, wanted, _hashes(target, step.kept_in_place))


def _reason(found: StepRecord | None, wanted: StepRecord, target: Path) -> str | None:
    """Return why a step has to be made; None where what it made still holds."""
    if found is None:
        return "not made yet"
    settings = _changed(found.settings, wanted.settings)
    if settings:
        return f"made anew, other settings: {', '.join(settings)}"
    inputs = _changed(found.inputs, wanted.inputs)
    if inputs:
        return f"made anew, other files: {', '.join(inputs)}"
    if not found.outputs:
        return "taken up where it stopped"
    if found.outputs != _hashes(target, found.outputs):
        return "made anew, what it had made was changed"
    return None


def _same_origin(found: StepRecord | None, wanted: StepRecord) -> bool:
    """Return whether an unfinished step may go on: nothing that went into it has changed."""
    return (
        found is not None
        and not found.outputs
        and (found.settings, found.inputs) == (wanted.settings, wanted.inputs)
    )


def _changed(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return the names of what differs; of tables within, as ``join.head.steps``."""
    names = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            names += [f"{name}.{inner}" for inner in _changed(old, new)]
        elif old != new:
            names.append(name)
    return names


def _write_record(folder: Path, wanted: StepRecord, outputs: dict[str, str]) -> None:
    record = wanted.model_copy(update={"outputs": outputs})
    write_text(folder / RECORD, record.model_dump_json(indent=1) + "\n")


def _content_hash(path: Path) -> str | None:
    """Return the hash of a file, or of what a folder holds beside a step's record."""
    if not (path / RECORD).is_file():
        return file_hash(path)
    listing = "".join(f"{name} {found}\n" for name, found in sorted(made_files(path).items()))
    return hashlib.sha256(listing.encode()).hexdigest()


def _hashes(folder: Path, names: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    return {name: file_hash(folder / name) or "" for name in names}


def _files_of(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    )
