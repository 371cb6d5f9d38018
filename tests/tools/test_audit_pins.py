"""What is said of pins: those with faults, those without, and those that nobody could check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.audit_pins import (
    FAULTS,
    NO_FAULT,
    NOT_CHECKED,
    ROOT,
    Fault,
    Pin,
    SourceUnreachableError,
    answers_of,
    check,
    read_pins,
    report,
)

SOUND, FAULTY, SECOND = Pin("sound", "1.0"), Pin("faulty", "2.0"), Pin("sound", "1.1")
ADVISORY = Fault(id="PYSEC-1", fix_versions=["2.1"])


def test_all_pins_are_read_whatever_system_they_are_for(tmp_path: Path) -> None:
    lock = tmp_path / "constraints.txt"
    lock.write_text(
        "# made by a machine\nPy_Yaml==6.0\nnumpy==2.4 ; python_version < '3.12'\n"
        "numpy==2.5 ; python_version >= '3.12'\n",
        encoding="utf-8",
    )
    assert [str(pin) for pin in read_pins(lock)] == ["numpy==2.4", "numpy==2.5", "py-yaml==6.0"]


def test_two_versions_of_a_package_are_asked_about_apart() -> None:
    asked: list[list[Pin]] = []

    def ask(_source: str, pins: list[Pin]) -> dict[Pin, list[Fault]]:
        asked.append(pins)
        return {pin: [ADVISORY] if pin == SECOND else [] for pin in pins}

    text, status = report([SOUND, SECOND], check([SOUND, SECOND], ask))
    assert sorted(map(len, asked)) == [1, 1]
    assert status == FAULTS
    assert "sound==1.1: PYSEC-1, mended in 2.1" in text
    assert "2 of 2 pins checked, 1 with faults" in text


def test_a_second_source_is_asked_about_what_the_first_does_not_know() -> None:
    def ask(source: str, pins: list[Pin]) -> dict[Pin, list[Fault]]:
        known = {"osv": SOUND, "pypi": FAULTY}[source]
        return {pin: [] for pin in pins if pin == known}

    text, status = report([FAULTY, SOUND], check([FAULTY, SOUND], ask))
    assert (text, status) == ("2 of 2 pins checked, 0 with faults", NO_FAULT)


def test_a_pin_that_no_source_knows_is_no_sound_pin() -> None:
    def ask(_source: str, pins: list[Pin]) -> dict[Pin, list[Fault]]:
        return {pin: [] for pin in pins if pin == SOUND}

    text, status = report([FAULTY, SOUND], check([FAULTY, SOUND], ask))
    assert status == NOT_CHECKED
    assert text.endswith("NOT CHECKED: faulty==2.0")


def test_where_no_source_answers_nothing_is_said_to_be_sound() -> None:
    def ask(_source: str, _pins: list[Pin]) -> dict[Pin, list[Fault]]:
        raise SourceUnreachableError("no such host")

    text, status = report([SOUND], check([SOUND], ask))
    assert status == NOT_CHECKED
    assert "osv: no answer (no such host)" in text
    assert text.endswith("NOT CHECKED: no source of advisories can be reached from here")


def test_a_skipped_package_has_no_answer() -> None:
    """As pip-audit 2.10 prints it; a mirror without advisories makes it skip every package."""
    answer = """{"dependencies": [
        {"name": "idna", "skip_reason": "Dependency not found on PyPI: idna (3.3)"},
        {"name": "Faulty", "version": "2.0", "vulns": [
            {"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": "-"}]}
    ], "fixes": []}"""
    assert answers_of(answer) == {FAULTY: [ADVISORY]}


@pytest.mark.slow
def test_the_command_fails_where_nothing_can_be_reached() -> None:
    """The real pip-audit behind a proxy that is not there."""
    nowhere = "http://127.0.0.1:9"
    run = subprocess.run(
        [sys.executable, "-m", "tools.audit_pins"],
        cwd=ROOT,
        env={**os.environ, "HTTPS_PROXY": nowhere, "https_proxy": nowhere, "NO_PROXY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == NOT_CHECKED, run.stderr
    assert "NOT CHECKED: no source" in run.stdout
