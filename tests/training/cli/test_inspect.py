from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from tests.training.data.made_images import encoded, pixels, write_identities
from tests.training.data.readers.test_stem_pairs import write_pairs
from training.cli.inspect import inspect, preview
from training.foundation.errors import DataError
from training.inspection.previewed import names_recipe, previewed_recipe


@pytest.fixture
def cli() -> typer.Typer:
    app = typer.Typer()
    app.command("inspect")(inspect)
    app.command("preview")(preview)
    return app


def test_a_clean_set_exits_with_zero(cli: typer.Typer, tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 2, "bob": 3})
    result = CliRunner().invoke(cli, ["inspect", str(root)])
    assert result.exit_code == 0
    assert "2 to 3, median 2.5" in result.output


def test_findings_exit_with_one_and_are_told(cli: typer.Typer, tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 2, "bob": 2})
    (root / "bob" / "0.png").write_bytes(b"broken")
    result = CliRunner().invoke(cli, ["inspect", str(root), "--kind", "folders"])
    assert result.exit_code == 1
    assert "finding: 1 images cannot be read" in result.output
    assert "finding: 1 identities have one image" in result.output


def test_a_picture_without_a_partner_is_a_finding_and_not_fatal(
    cli: typer.Typer, tmp_path: Path
) -> None:
    root = write_pairs(tmp_path / "pairs", ["1.png", "2.png"], ["1.png", "3.png"])
    result = CliRunner().invoke(cli, ["inspect", str(root), "--json"])
    assert result.exit_code == 1
    document = json.loads(result.output)
    assert (document["images"], document["unpaired"]) == (2, ["left/2", "right/3"])
    assert document["findings"][0].startswith("2 pictures have no partner")
    shown = CliRunner().invoke(cli, ["preview", str(root), "--output", str(tmp_path / "a.png")])
    assert shown.exit_code == 0, shown.output


def test_json_is_all_that_is_printed(cli: typer.Typer, tmp_path: Path) -> None:
    root = write_identities(tmp_path, {"ada": 2, "bob": 2})
    (root / "bob" / "2.png").write_bytes(encoded(pixels(0)))
    result = CliRunner().invoke(cli, ["inspect", str(root), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)["copies"] == [["ada/0.png", "bob/2.png"]]


def test_a_preview_is_a_png(cli: typer.Typer, tmp_path: Path) -> None:
    root = write_identities(tmp_path / "set", {"ada": 2, "bob": 2})
    output = tmp_path / "new" / "look.png"
    result = CliRunner().invoke(cli, ["preview", str(root), "--output", str(output)])
    assert result.exit_code == 0
    with Image.open(output) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000


def test_a_preview_of_faces_can_be_aligned(cli: typer.Typer, tmp_path: Path) -> None:
    people = Path(__file__).parents[2] / "fixtures" / "people"
    output = tmp_path / "faces.png"
    words = ["preview", str(people), "--fit", "align", "--output", str(output)]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0
    assert output.is_file()
    assert CliRunner().invoke(cli, [*words[:3], "squash"]).exit_code == 2


def test_a_preview_of_a_recipe_shows_its_own_data_and_augmentation(
    cli: typer.Typer, tmp_path: Path
) -> None:
    write_identities(tmp_path / "set", {"ada": 2, "bob": 2})
    (tmp_path / "own.toml").write_text('extends = "folders"\nname = "own"\n[augment]\ncrop = 0.3\n')
    words = ["preview", str(tmp_path / "own.toml"), "--data", str(tmp_path / "set")]
    words += ["--output", str(tmp_path / "a.png")]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert "augmentation: flip 0.5, crop 0.3, brightness 0.2, contrast 0.2" in result.output
    plain = (tmp_path / "a.png").read_bytes()
    nothing = [f"augment.{name}=0" for name in ("flip", "crop", "brightness", "contrast")]
    still = CliRunner().invoke(cli, words + [w for one in nothing for w in ("--set", one)])
    assert "augmentation: this recipe changes nothing" in still.output
    assert (tmp_path / "a.png").read_bytes() != plain
    for wrong in ([*words, "--flip", "0"], ["preview", str(tmp_path / "set"), "--set", "steps=1"]):
        assert isinstance(CliRunner().invoke(cli, wrong).exception, DataError)


def test_a_recipe_is_a_toml_file_or_a_shipped_name_that_is_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert [names_recipe(what) for what in ("digits", "native", "x.toml", "people")] == [
        *(True, True, True, False)
    ]
    (tmp_path / "digits").mkdir()
    assert not names_recipe("digits")
    (tmp_path / "face.toml").write_text('extends = "native"\nname = "face"\n')
    with pytest.raises(DataError, match="is not a file"):  # a distillation: no tars are here
        previewed_recipe(str(tmp_path / "face.toml"), tmp_path)


def test_a_csv_file_is_looked_at_by_its_own_columns(cli: typer.Typer, tmp_path: Path) -> None:
    write_identities(tmp_path, {"ada": 2, "bob": 2})
    lines = [f"{name}/{n}.png,{name},7" for name in ("ada", "bob") for n in (0, 1)]
    (tmp_path / "set.csv").write_text("\n".join(["file,who,age", *lines]) + "\n")
    words = ["inspect", str(tmp_path / "set.csv"), "--column", "path=file"]
    assert CliRunner().invoke(cli, [*words, "--column", "label=who"]).exit_code == 0
    for wrong in ("label", "path=x", "=x"):
        assert isinstance(CliRunner().invoke(cli, [*words, "--column", wrong]).exception, DataError)
