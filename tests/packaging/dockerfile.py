"""The Dockerfile as a list of instructions, enough of it to check what it calls."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Instruction:
    """One instruction: ``COPY`` with the rest of its line, continuation lines joined."""

    keyword: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """A build stage, in order of its instructions."""

    name: str
    instructions: tuple[Instruction, ...]

    def all_of(self, keyword: str) -> list[str]:
        """Return what follows each instruction of this kind."""
        return [each.rest for each in self.instructions if each.keyword == keyword]

    def context_copies(self) -> list[tuple[list[str], str]]:
        """Return sources and destination of each COPY from the build context."""
        copies = [shlex.split(rest) for rest in self.all_of("COPY")]
        return [(words[:-1], words[-1]) for words in copies if not words[0].startswith("--from=")]

    def environment(self) -> dict[str, str]:
        """Return the variables that ENV sets."""
        words = [word for rest in self.all_of("ENV") for word in shlex.split(rest)]
        return dict(word.split("=", 1) for word in words)

    def exec_form(self, keyword: str) -> list[str]:
        """Return the last instruction of this kind as the list of words that is executed."""
        rest = self.all_of(keyword)[-1]
        words = json.loads(rest[rest.index("[") :])
        assert all(isinstance(word, str) for word in words)
        return [str(word) for word in words]


def read_stages(path: Path = ROOT / "Dockerfile") -> list[Stage]:
    """Return the stages of a Dockerfile, first to last."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    stages: list[tuple[str, list[Instruction]]] = []
    for line in text.replace("\\\n", " ").splitlines():
        keyword, rest = line.split(maxsplit=1)
        if keyword == "FROM":
            stages.append((rest.split(" AS ")[-1], []))
        if stages:
            stages[-1][1].append(Instruction(keyword, rest))
    return [Stage(name, tuple(instructions)) for name, instructions in stages]
