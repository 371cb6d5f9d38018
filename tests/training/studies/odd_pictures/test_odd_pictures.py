"""Odd pictures of people who do not exist, shown to the shipped model the way that serves."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from app.domain.policy import RiskPolicy
from training.cli.app import app
from training.cli.conclusion import conclude
from training.data.invented_people import invented_people
from training.data.odd_pictures.kinds import chosen_kinds
from training.evaluation.served import DEFAULT_TARGETS, newest_model
from training.studies.odd_pictures.people import cast_of_invented
from training.studies.odd_pictures.results import OddPictures
from training.studies.odd_pictures.served import ServedPictures, as_photo
from training.studies.odd_pictures.study import faults
from training.studies.odd_pictures.tables import fault_lines, sheets_of
from training.studies.odd_pictures.trial import try_kinds

pytestmark = pytest.mark.slow

ODD = "turned by 180,upside down,tilted by 45,mosaic of 10,plaster"


@pytest.fixture(scope="module")
def served() -> ServedPictures:
    return ServedPictures(newest_model())


@pytest.fixture(scope="module")
def found(served: ServedPictures) -> OddPictures:
    policy = RiskPolicy(served.manifest, DEFAULT_TARGETS)
    cast = cast_of_invented(8, served.vision)
    progress: list[str] = []
    kinds = chosen_kinds(f"{ODD},real masks")
    result = try_kinds(served, policy, cast, kinds, (100, 300), progress.append)
    assert len(progress) == len(result.kinds)
    return result


def test_enrollment_asks_for_more_than_the_door(served: ServedPictures) -> None:
    """What the door refuses is not shown to enrollment, which would refuse it too."""
    door, enrollment = served.manifest.verification_limits, served.manifest.enrollment_limits
    for name, value in dataclasses.asdict(door).items():
        wanted = getattr(enrollment, name)
        assert wanted >= value if name.startswith("min_") else wanted <= value


def test_a_photo_is_taken_and_a_blank_one_refused(served: ServedPictures) -> None:
    taken = served.show(invented_people()[0].photos[0].read_bytes())
    assert (taken.at_the_door, taken.at_enrollment) == (None, None)
    assert np.linalg.norm(taken.visiting) == pytest.approx(1)
    assert taken.visiting @ taken.enrolled > 0.99  # a door looks with less detail
    blank = served.show(as_photo(np.full((200, 200, 3), 128, np.uint8)))
    assert (blank.at_the_door, blank.at_enrollment) == ("no_face", "no_face")
    assert not blank.visiting.any()
    assert not blank.enrolled.any()
    assert not served.visit(b"no picture").any()


def test_odd_pictures_open_no_door(found: OddPictures) -> None:
    assert not fault_lines(found)


def test_upright_pictures_are_taken_as_their_people(found: OddPictures) -> None:
    assert found.upright.itself is not None
    assert found.upright.itself.value == 1
    assert found.mixed[0].known.value > 0.9
    assert not found.upright.faults


def test_real_masks_are_not_tried_without_data(found: OddPictures) -> None:
    assert "real masks" not in [kind.kind for kind in found.kinds]
    assert len(found.kinds) == len(ODD.split(","))


def test_the_tables_hold_every_kind(found: OddPictures) -> None:
    matches, refusals, doors, mixed = sheets_of(found)
    assert len(matches.rows) == len(refusals.rows) == 1 + len(found.kinds)
    assert len(doors.rows) == 1 + len(found.kinds)
    assert len(mixed.rows) == 1
    assert all(len(row) == len(s.head) for s in (matches, refusals, doors, mixed) for row in s.rows)


def test_a_broken_bar_is_named_and_fails(
    found: OddPictures, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = found.model_copy(update={"kinds": (), "mixed": ()})
    conclude(kept, [], None, faults(kept))
    broken = found.kinds[0].model_copy(update={"faults": ("both odd: all of them",)})
    with pytest.raises(typer.Exit) as stopped:
        conclude(kept, [], None, faults(kept.model_copy(update={"kinds": (broken,)})))
    assert stopped.value.exit_code == 1
    assert capsys.readouterr().err == f"not kept: {broken.kind}: both odd: all of them\n"


def test_the_command_writes_table_and_record(tmp_path: Path) -> None:
    words = [
        "study",
        "odd-pictures",
        "--invented",
        "--people",
        "4",
        "--kinds",
        "half mirrored",
        "--out",
    ]
    result = CliRunner().invoke(app, [*words, str(tmp_path / "odd.md")])
    assert result.exit_code == 0, result.output
    assert "| half mirrored | 4 |" in (tmp_path / "odd.md").read_text()
    record = OddPictures.model_validate_json((tmp_path / "odd.json").read_text())
    assert [kind.kind for kind in record.kinds] == ["half mirrored"]
