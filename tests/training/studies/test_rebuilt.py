"""What moved where a model was built again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.embedding.made_models import write_model
from tests.training.evaluation.made_people import write_evaluation_data
from tests.training.made_data import TinyTeacher
from training.export.package import ExportError, keep_rebuilt
from training.networks.served import ServedEmbedder
from training.studies.rebuilt import code_moved, parts_moved, run, tables


def test_parts_are_counted_by_what_differs() -> None:
    head, first = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0])
    old = {"network.head.weight": head, "network.first.a": first, "b": first}
    new = old | {"network.head.weight": head + torch.tensor([0.0, 0.5, 0.0])}
    found = {one.part: one for one in parts_moved(old, new)}
    assert (found["head"].numbers, found["head"].differing, found["head"].largest) == (3, 1, 0.5)
    assert found["first network"].differing == found["other"].differing == 0
    del new["b"]
    (gone,) = [one for one in parts_moved(old, new) if one.part == "other"]
    assert (gone.numbers, gone.differing, gone.largest) == (1, 1, float("inf"))


def test_a_model_is_compared_with_another_and_with_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_evaluation_data(tmp_path / "data", pool=30)
    models = [
        write_model(tmp_path / str(seed), module=ServedEmbedder(TinyTeacher(seed, 6)))
        for seed in (1, 2)
    ]
    monkeypatch.chdir(tmp_path)  # where answers are kept
    same, other = (run(data, models[0], other=model) for model in models)
    assert same.old_sha256 == same.new_sha256
    assert [one.differing for one in same.parts] == [0]
    assert min(one.lowest for one in same.embeddings) == pytest.approx(1, abs=1e-6)
    assert [one.differing for one in other.parts] == [48 * 6]
    assert max(one.lowest for one in other.embeddings) < 0.99
    assert other.code[0] > 0
    assert code_moved(*(model / "embedder.pt" for model in models)) == other.code
    assert ("identify", "0.5000", "0.5000") in other.figures
    for record in (same, other):
        for sheet in tables(record):
            assert {len(row) for row in sheet.rows} == {len(sheet.head)}
    assert "the same file" in tables(same)[0].title


def test_tables_of_another_model_are_not_kept(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    page = tmp_path / "rebuilt.md"
    with pytest.raises(ExportError, match="compares no model"):
        keep_rebuilt(folder, page)
    page.write_text("**moved**\n")
    page.with_suffix(".json").write_text(json.dumps({"old_sha256": "0" * 64}))
    with pytest.raises(ExportError, match="of another model"):
        keep_rebuilt(folder, page)
    sha256 = json.loads((folder / "manifest.json").read_text())["sha256"]
    page.with_suffix(".json").write_text(json.dumps({"old_sha256": sha256}))
    keep_rebuilt(folder, page)
    assert (folder / "rebuilt.md").read_text() == "**moved**\n"
