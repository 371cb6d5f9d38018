"""What is wrong with a recipe's file is said in one line that names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training.foundation.errors import DataError
from training.recipes.build_recipe import load_build_recipe
from training.recipes.metric_recipe import load_metric_recipe
from training.recipes.recipe import ResidualRecipe, load_recipe

LOADERS = [load_recipe, load_metric_recipe, load_build_recipe]


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize(
    "content",
    [b'name = "half', b"name = \xff\xfe", b"a = 1\na = 2\n"],
    ids=["half", "bytes", "twice"],
)
def test_a_file_that_is_no_toml_is_named(
    tmp_path: Path, load: Callable[[str], object], content: bytes
) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.toml is no TOML file: ") as caught:
        load(str(tmp_path / "bad.toml"))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("load", LOADERS)
def test_a_bad_file_that_is_extended_is_the_one_named(
    tmp_path: Path, load: Callable[[str], object]
) -> None:
    (tmp_path / "first.toml").write_text("[half")
    (tmp_path / "second.toml").write_text(f'extends = "{tmp_path / "first.toml"}"\n')
    with pytest.raises(DataError, match=r"first\.toml is no TOML"):
        load(str(tmp_path / "second.toml"))


@pytest.mark.parametrize("load", LOADERS)
def test_recipes_that_extend_each_other_are_named(
    tmp_path: Path, load: Callable[[str], object]
) -> None:
    for name, base in (("one", "two"), ("two", "three"), ("three", "two"), ("self", "self")):
        (tmp_path / f"{name}.toml").write_text(f'extends = "{tmp_path / base}.toml"\n')
    with pytest.raises(
        DataError, match=r"two\.toml extends itself: .*one\.toml extends .*two.* extends .*three"
    ):
        load(str(tmp_path / "one.toml"))
    with pytest.raises(DataError, match=r"self\.toml extends itself"):
        load(str(tmp_path / "self.toml"))


def test_a_student_of_another_kind_takes_nothing_from_the_one_extended(tmp_path: Path) -> None:
    """A start, or widths, of one network mean nothing to another."""
    (tmp_path / "other.toml").write_text(
        'extends = "native-open"\nname = "other"\n'
        '[student]\nkind = "residual"\nblocks = [1, 1, 1, 1]\n'
    )
    student = load_recipe(str(tmp_path / "other.toml")).student
    assert student == ResidualRecipe(blocks=(1, 1, 1, 1))
    (tmp_path / "same.toml").write_text(
        'extends = "native-open"\nname = "same"\n[student]\npublished_crop = false\n'
    )
    base = load_recipe("native-open").student
    assert load_recipe(str(tmp_path / "same.toml")).student == base.model_copy(
        update={"published_crop": False}
    )
