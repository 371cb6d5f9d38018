"""The session in the README is what a real service answers to these very commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import httpx2
import pytest

from tests.packaging.dockerfile import ROOT
from training.demo.service import RunningService

PEOPLE = ROOT / "tests" / "fixtures" / "people"
CUT = "…"
#: Of a request or of a moment, not of the answer.
VARIES = {"request_id"}


def session() -> list[tuple[str, object]]:
    """Return each command of the README's session with the answer printed below it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^\$ (curl .*(?:\\\n.*)*)\n(\{.*\})$", text, re.MULTILINE)
    return [
        (command, json.loads(answer.replace(f",{CUT}", "").replace(f":{CUT}", f':"{CUT}"')))
        for command, answer in found
    ]


def differences(printed: object, answered: object, where: str = "") -> list[str]:
    """Return where an answer is not as printed; what is cut there may be anything."""
    if printed == CUT or where.rpartition(".")[2] in VARIES:
        return []
    if isinstance(printed, dict) and isinstance(answered, dict):
        return [
            difference
            for key, value in printed.items()
            for difference in differences(value, answered.get(key), f"{where}.{key}")
        ]
    if isinstance(printed, float) and isinstance(answered, float):
        # Runtimes and CPUs agree to about the third decimal.
        return [] if printed == pytest.approx(answered, abs=0.01) else [f"{where}: {answered}"]
    return [] if printed == answered else [f"{where}: {answered}"]


def test_every_answer_is_as_printed(http: httpx2.Client, service: RunningService) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    assert http.get("/v1/employees").json()["employees"] == []
    commands = session()
    assert len(commands) == 4
    address = service.url.removeprefix("http://")
    for command, printed in commands:
        run = subprocess.run(
            ["sh", "-c", f"{command.replace('localhost:8000', address)} --silent --show-error"],
            cwd=PEOPLE,
            capture_output=True,
            text=True,
            check=True,
        )
        assert differences(printed, json.loads(run.stdout)) == [], command


def test_the_comparison_finds_another_answer() -> None:
    printed = {"decision": "known", "similarity": 0.7, "face": CUT, "request_id": "a"}
    assert (
        differences(printed, {**printed, "face": {}, "request_id": "b", "similarity": 0.705}) == []
    )
    assert differences(printed, {**printed, "decision": "unknown"}) == [".decision: unknown"]
    assert differences(printed, {**printed, "similarity": 0.6}) == [".similarity: 0.6"]
    assert differences({"a": {"b": 1}}, {"a": {}}) == [".a.b: None"]
