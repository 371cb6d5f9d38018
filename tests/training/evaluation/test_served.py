"""The judging commands judge what the service ships and where its policy puts thresholds."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.model_manifest import ModelManifest
from app.settings import Settings
from training.evaluation.embedders import read_manifest
from training.evaluation.served import DEFAULT_TARGETS, newest_model, served_audit_thresholds
from training.foundation.errors import DataError


def test_the_newest_model_is_the_highest_version_by_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no exported model"):
        newest_model(tmp_path)
    for version in ("1.9.0", "1.10.0", "draft"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "manifest.json").touch()
    assert newest_model(tmp_path) == tmp_path / "1.10.0"


def test_judged_is_what_the_service_runs_by_default() -> None:
    settings = Settings()
    assert newest_model().resolve() == settings.model_dir.resolve()
    assert settings.target_fpir == DEFAULT_TARGETS.fpir
    assert settings.target_fmr == DEFAULT_TARGETS.fmr


def test_more_people_ask_for_more_in_1_to_n_and_not_in_1_to_1() -> None:
    manifest = ModelManifest.from_json(read_manifest(newest_model()))
    few, many = served_audit_thresholds(manifest, 10), served_audit_thresholds(manifest, 1000)
    assert few.verify == many.verify
    assert few.identify < many.identify
    assert few.identify_of[0][1] < few.identify_of[-1][1] == few.identify
