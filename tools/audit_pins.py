"""``python -m tools.audit_pins``: which pins of constraints.txt have known faults.

pip-audit asks the advisories of OSV, then those of the Python Package Index. A pin that a source
does not know is skipped there and the run still ends well, also where a mirror has no advisories
at all; here such a pin is reported as not checked.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "constraints.txt"
#: The sources that pip-audit knows, in the order in which they are asked.
SOURCES = ("osv", "pypi")
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)")
NO_FAULT, FAULTS, NOT_CHECKED = 0, 1, 2


class SourceUnreachableError(Exception):
    """A source of advisories gave no answer at all."""


@dataclass(frozen=True, order=True)
class Pin:
    """One version of one package, the name as pip normalises it."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


class Fault(BaseModel):
    """One advisory: its id and the versions without the fault, as pip-audit names them."""

    id: str
    fix_versions: list[str]


class _Dependency(BaseModel):
    name: str
    version: str | None = None  # absent where the package was skipped
    vulns: list[Fault] = []


class _Answer(BaseModel):
    dependencies: list[_Dependency]


@dataclass
class Findings:
    """What is known of each pin that a source answered for, and why sources did not answer."""

    faults: dict[Pin, list[Fault]] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)


#: Asks one source about pins of different packages; pins that it does not know are absent.
Ask = Callable[[str, list[Pin]], dict[Pin, list[Fault]]]


def read_pins(lock: Path) -> list[Pin]:
    """Return the pins of a constraints file, also those for other systems than this one."""
    matches = (PIN.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return sorted({Pin(_normal(each["name"]), each["version"]) for each in matches if each})


def check(pins: Iterable[Pin], ask: Ask) -> Findings:
    """Ask one source after the other until every pin has an answer."""
    findings, open_pins = Findings(), list(pins)
    for source in SOURCES:
        try:
            while open_pins:
                batch = list({pin.name: pin for pin in open_pins}.values())
                findings.faults |= ask(source, batch)
                open_pins = [pin for pin in open_pins if pin not in batch]
        except SourceUnreachableError as error:
            findings.unreachable[source] = str(error)
        open_pins = [pin for pin in pins if pin not in findings.faults]
    return findings


def ask_pip_audit(source: str, pins: list[Pin]) -> dict[Pin, list[Fault]]:
    """Ask one source by pip-audit; nothing is installed.

    Raises:
        SourceUnreachableError: pip-audit ended without an answer.

    """
    with tempfile.TemporaryDirectory() as folder:
        requirements, answer = Path(folder, "pins.txt"), Path(folder, "answer.json")
        requirements.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        run = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", requirements),
                *("--no-deps", "--disable-pip", "--progress-spinner", "off"),
                *("--vulnerability-service", source, "--format", "json", "--output", answer),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if not answer.exists():
            lines = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
            raise SourceUnreachableError(lines[-1][:200])
        return answers_of(answer.read_text(encoding="utf-8"))


def answers_of(text: str) -> dict[Pin, list[Fault]]:
    """Return the faults of each pin in pip-audit's JSON; a skipped pin has no answer."""
    return {
        Pin(_normal(each.name), each.version): each.vulns
        for each in _Answer.model_validate_json(text).dependencies
        if each.version is not None
    }


def report(pins: list[Pin], findings: Findings) -> tuple[str, int]:
    """Return what to print and the exit status: 0 no fault, 1 faults, 2 pins were not checked."""
    lines = [
        f"{pin}: {fault.id}, mended in {', '.join(fault.fix_versions) or 'no version yet'}"
        for pin, faults in sorted(findings.faults.items())
        for fault in faults
    ]
    faulty = len({pin for pin, faults in findings.faults.items() if faults})
    lines += [f"{name}: no answer ({why})" for name, why in findings.unreachable.items()]
    missing = [pin for pin in pins if pin not in findings.faults]
    lines.append(f"{len(pins) - len(missing)} of {len(pins)} pins checked, {faulty} with faults")
    if missing and len(missing) == len(pins):
        lines.append("NOT CHECKED: no source of advisories can be reached from here")
    elif missing:
        lines.append(f"NOT CHECKED: {', '.join(map(str, missing))}")
    return "\n".join(lines), FAULTS if faulty else NOT_CHECKED if missing else NO_FAULT


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Print the faults of the lock's pins and return the exit status."""
    pins = read_pins(LOCK)
    text, status = report(pins, check(pins, ask_pip_audit))
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
