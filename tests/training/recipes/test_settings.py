"""``--set key=value``: every key of a recipe, strictly; what is wrong names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.foundation.errors import DataError
from training.recipes.build_recipe import load_build_recipe
from training.recipes.metric_recipe import ContrastiveRecipe, load_metric_recipe
from training.recipes.recipe import load_recipe
from training.recipes.run_recipe import changed_keys

DIGITS = load_metric_recipe("digits")
AUGMENT = "augment.crop was 0.12 and is 0.0"
SOURCE = '{"kind": "digits", "path": null, "only": %s}'
ONLY = f"data.sources was [{SOURCE % 'null'}] and is [{SOURCE}]" % '"[0-4]"'


def changed(*settings: str) -> list[str]:
    return changed_keys(DIGITS, load_metric_recipe("digits", settings))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("loss.margin=0.3",), ["loss.margin was 0.2 and is 0.3"]),
        (("steps=7", "augment.crop = 0"), ["steps was 300 and is 7", AUGMENT]),
        (("patience=",), ["patience was 4 and is null"]),
        (("data.sources.0.only=[0-4]",), [ONLY]),
        (("data.transform={size = 48}",), ["data.transform.size was 32 and is 48"]),
        (("name=mine",), ['name was "digits" and is "mine"']),
        ((), []),
    ],
)
def test_a_setting_changes_its_key_and_no_other(settings: tuple[str, ...], told: list[str]) -> None:
    assert changed(*settings) == told


def test_another_loss_takes_nothing_of_the_one_before() -> None:
    recipe = load_metric_recipe("digits", ["loss.name=contrastive", "loss.margin=0.5"])
    assert recipe.loss == ContrastiveRecipe(margin=0.5)
    assert DIGITS.loss.name == "triplet"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("loss.margn=0.3", "--set: loss.margn: there is no such key; is 'margin' meant?"),
        ("colour=3", "--set: colour: there is no such key"),
        ("loss.margin=wide", "--set: loss.margin: .*valid number, not 'wide'"),
        ('loss.margin="0.3"', "--set: loss.margin: .*valid number, not '0.3'"),
        ("loss.margin=true", "--set: loss.margin: .*valid number, not True"),
        ("loss.margin=-1", "--set: loss.margin: .*greater than or equal to 0, not -1"),
        ("loss.margin=nan", r"--set: loss\.margin = nan is no number"),
        ("steps=3.5", "--set: steps: .*integer, not 3.5"),
        ("loss=3", "--set: loss: .*object, not 3"),
        ("data.sources.1.path=x", "--set: sources has the items 0 to 0, not '1'"),
        ("data.sources.0.kindd=x", "--set: data.sources.0.kindd: there is no such key; is 'kind'"),
        ("loss.margin", "'loss.margin' is not key=value"),
        ("loss.=1", "'loss.=1' is not key=value"),
        ("backbone.unit_norm=1", "--set: backbone.unit_norm: .*boolean, not 1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name(setting: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load_metric_recipe("digits", [setting])
    assert len(str(caught.value).splitlines()) == 1


def test_a_key_given_twice_is_refused() -> None:
    for second in ("loss.margin=0.4", "loss.margin.x=1"):
        with pytest.raises(DataError, match=r"margin (is given twice|was given a value before)"):
            changed("loss.margin=0.3", second)


def test_recipes_of_other_runs_take_settings_too() -> None:
    assert load_recipe("native", ["augment.flip=0.25"]).augment.flip == 0.25
    assert load_build_recipe(settings=["distill.steps=5"]).distill.steps == 5
    with pytest.raises(DataError, match=r"--set: augment\.flp: .*'flip'"):
        load_recipe("native", ["augment.flp=0.25"])


@pytest.mark.parametrize(
    ("base", "own", "guilty", "key"),
    [
        ("steps = 0\n", "", "base.toml", "steps"),
        ("", "steps = 0\n", "own.toml", "steps"),
        ("[loss]\nmargin = -1\n", "[loss]\nsoft = true\n", "base.toml", "loss.margin"),
        ("[loss]\nname = 'triplet'\n", "[loss]\nscale = 1\n", "own.toml", "loss.scale"),
    ],
)
def test_what_is_wrong_names_the_file_that_says_it(
    tmp_path: Path, base: str, own: str, guilty: str, key: str
) -> None:
    (tmp_path / "base.toml").write_text(f'extends = "digits"\nname = "base"\n{base}')
    (tmp_path / "own.toml").write_text(f'extends = "base"\nname = "own"\n{own}')
    with pytest.raises(DataError, match=rf"^\S*{guilty}: {key}: "):
        load_metric_recipe(str(tmp_path / "own.toml"))


def test_what_a_recipe_extends_lies_beside_it_or_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "digits.toml").write_text('extends = "digits"\nname = "own"\nsteps = 11\n')
    for name, base in (("by-name", "digits"), ("by-file", "digits.toml")):
        (tmp_path / f"{name}.toml").write_text(f'extends = "{base}"\nname = "{name}"\n')
        recipe = load_metric_recipe(str(tmp_path / f"{name}.toml"))
        assert (recipe.name, recipe.steps) == (name, 11)
    (tmp_path / "lost.toml").write_text('extends = "nobody"\n')
    with pytest.raises(FileNotFoundError, match=r"'nobody', which .*lost\.toml extends.*by-file"):
        load_metric_recipe(str(tmp_path / "lost.toml"))
    native = tmp_path / "native.toml"  # a distillation's folder is looked in as well
    native.write_text('extends = "native"\nname = "mine"\n')
    assert load_recipe(str(native)).name == "mine"
