"""Steps from file to file: what is made, skipped, taken up and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.export.steps import RECORD, Step, StepRunner, require_inputs
from training.foundation.errors import DataError


def copying(source: Path, *, name: str = "copy", suffix: str = "") -> Step:
    """Return a step that copies a file's text, with ``suffix`` as its setting."""

    def make(folder: Path) -> None:
        (folder / "made.txt").write_text(source.read_text() + suffix)

    return Step(name, {"text": {"suffix": suffix}}, {"source": source}, make)


def chain(run: Path, source: Path, *, suffix: str = "", end: str = "!") -> list[Step]:
    first = copying(source, name="first", suffix=suffix)
    return [first, copying(run / "first" / "made.txt", name="second", suffix=end)]


def made(run: Path, steps: list[Step]) -> list[str]:
    """Run the steps and return what was said."""
    said: list[str] = []
    runner = StepRunner(run, said.append)
    for step in steps:
        runner.run(step)
    return said


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("one")
    return path


SKIPPED = "skipped, made from the same settings and files"


def test_what_was_made_from_the_same_is_skipped(tmp_path: Path, source: Path) -> None:
    run = tmp_path / "run"
    assert made(run, chain(run, source)) == ["first: not made yet", "second: not made yet"]
    assert (run / "second" / "made.txt").read_text() == "one!"
    assert made(run, chain(run, source)) == [f"first: {SKIPPED}", f"second: {SKIPPED}"]


def test_a_changed_setting_makes_anew_from_that_step_on(tmp_path: Path, source: Path) -> None:
    run = tmp_path / "run"
    made(run, chain(run, source))
    assert made(run, chain(run, source, end="?")) == [
        f"first: {SKIPPED}",
        "second: made anew, other settings: text.suffix",
    ]
    assert made(run, chain(run, source, suffix=",", end="?")) == [
        "first: made anew, other settings: text.suffix",
        "second: made anew, other files: source",
    ]
    assert (run / "second" / "made.txt").read_text() == "one,?"


def test_other_data_makes_anew_and_what_comes_out_the_same_ends_it(
    tmp_path: Path, source: Path
) -> None:
    run = tmp_path / "run"
    made(run, chain(run, source, suffix="x"))
    source.write_text("onex")
    assert made(run, chain(run, source)) == [
        "first: made anew, other settings: text.suffix",
        f"second: {SKIPPED}",
    ]
    source.write_text("two")
    assert "first: made anew, other files: source" in made(run, chain(run, source))


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_what_was_changed_by_hand_is_made_anew(tmp_path: Path, source: Path, damage: str) -> None:
    run = tmp_path / "run"
    made(run, chain(run, source))
    result = run / "first" / "made.txt"
    if damage == "changed":
        result.write_text("mine")
    else:
        result.unlink()
    said = made(run, chain(run, source))
    assert said == ["first: made anew, what it had made was changed", f"second: {SKIPPED}"]
    assert result.read_text() == "one"


def test_a_step_that_fails_leaves_what_was_there(tmp_path: Path, source: Path) -> None:
    run = tmp_path / "run"
    made(run, chain(run, source))

    def fail(folder: Path) -> None:
        (folder / "made.txt").write_text("half")
        raise DataError("no")

    with pytest.raises(DataError, match="no"):
        made(run, [Step("first", {}, {"source": source}, fail)])
    assert (run / "first" / "made.txt").read_text() == "one"
    assert {path.name for path in run.iterdir()} == {"first", "second"}


def test_a_step_in_its_place_goes_on_with_what_it_left_unless_something_changed(
    tmp_path: Path, source: Path
) -> None:
    run, calls = tmp_path / "run", 3

    def step(suffix: str) -> Step:
        def make(folder: Path) -> None:
            log = folder / "log.txt"
            log.write_text((log.read_text() if log.exists() else "") + suffix)
            if len(log.read_text()) < calls:
                raise KeyboardInterrupt

        return Step("run", {"suffix": suffix}, {"source": source}, make, kept_in_place=("log.txt",))

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            made(run, [step("a")])
    assert made(run, [step("a")]) == ["run: taken up where it stopped"]
    assert (run / "run" / "log.txt").read_text() == "aaa"
    assert made(run, [step("a")]) == [f"run: {SKIPPED}"]
    with pytest.raises(KeyboardInterrupt):
        made(run, [step("b")])
    assert (run / "run" / "log.txt").read_text() == "b"


@pytest.mark.parametrize("record", [None, "{", '{"settings": {}}'])
def test_a_folder_that_no_build_made_is_not_replaced(
    tmp_path: Path, source: Path, record: str | None
) -> None:
    run = tmp_path / "run"
    (run / "first").mkdir(parents=True)
    (run / "first" / "mine.txt").write_text("mine")
    if record is not None:
        (run / "first" / RECORD).write_text(record)
    with pytest.raises(DataError, match="no record of a build's step; name another --run"):
        made(run, chain(run, source))
    assert (run / "first" / "mine.txt").read_text() == "mine"


def test_every_missing_file_is_named_at_once_but_not_what_steps_make(
    tmp_path: Path, source: Path
) -> None:
    run = tmp_path / "run"
    steps = [*chain(run, source), copying(tmp_path / "b.tar"), copying(tmp_path / "a")]
    with pytest.raises(DataError) as caught:
        require_inputs(steps, run)
    assert str(caught.value).endswith(f"missing: {tmp_path / 'a'}, {tmp_path / 'b.tar'}")
