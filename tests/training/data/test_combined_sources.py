"""Sources whose folders are named alike stay apart in one run."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.training.data.made_images import write_identities
from tests.training.data.readers.test_idx import write_mnist
from training.data.images import unlike_names
from training.data.learning_parts import LearningParts, load_parts
from training.recipes.metric_recipe import MetricRecipe
from training.recipes.source_recipe import SourceRecipe


def parts_of(*sources: dict[str, object], divide: str = "identities") -> LearningParts:
    data = {
        "sources": list(sources),
        "divide": divide,
        "validation": 0.0,
        "test": 0.5,
        "transform": {"size": 16},
    }
    return load_parts(MetricRecipe.model_validate({"name": "made", "steps": 1, "data": data}))


def identities(parts: LearningParts) -> set[str]:
    return {*parts.train.label_names, *parts.validation.label_names, *parts.test.label_names}


def test_two_people_of_one_name_in_folders_of_one_name_are_two(tmp_path: Path) -> None:
    sources: list[dict[str, object]] = []
    for place in ("a", "b"):
        root = write_identities(tmp_path / place / "faces", {"anna": 2, "ben": 2})
        sources.append({"kind": "folders", "path": str(root)})
    parts = parts_of(*sources)
    people = {"faces/anna", "faces/ben", "faces#2/anna", "faces#2/ben"}
    assert identities(parts) == people
    keys = {*parts.train.keys, *parts.test.keys}
    assert keys == {f"{person}/{n}.png" for person in people for n in (0, 1)}


def test_mnist_and_fashion_mnist_as_torchvision_stores_them_are_one_run(tmp_path: Path) -> None:
    roots = [tmp_path / name / "raw" for name in ("MNIST", "FashionMNIST")]
    for root in roots:
        root.mkdir(parents=True)
        write_mnist(root)
    sources: list[dict[str, object]] = [{"kind": "idx", "path": str(root)} for root in roots]
    parts = parts_of(*sources, divide="split")
    assert len(parts.train) + len(parts.test) == 10
    assert identities(parts) == {f"{name}/{n}" for name in ("raw", "raw#2") for n in (7, 8, 9)}
    named = [
        source | {"name": name} for source, name in zip(sources, ("mnist", "fashion"), strict=True)
    ]
    told = identities(parts_of(*named, divide="split"))
    assert told == {f"{name}/{n}" for name in ("mnist", "fashion") for n in (7, 8, 9)}


def test_no_name_is_given_twice() -> None:
    assert unlike_names(["raw", "raw", "other", "raw"]) == ("raw", "raw#2", "other", "raw#3")
    assert unlike_names(["raw", "raw", "raw#2"]) == ("raw", "raw#3", "raw#2")
    assert unlike_names(["raw#2", "raw", "raw", "raw#2"]) == ("raw#2", "raw", "raw#3", "raw#2#2")


def test_a_name_is_one_part_of_a_path_and_none_leaves_no_trace() -> None:
    """A recipe without names is written as before there were any, so that saved runs stay."""
    for name in ("", "a/b"):
        with pytest.raises(ValidationError, match="name"):
            SourceRecipe(kind="digits", name=name)
    plain = SourceRecipe(kind="digits")
    assert plain.model_dump(mode="json") == {"kind": "digits", "path": None, "only": None}
    named = SourceRecipe(kind="digits", name="mine")
    assert SourceRecipe.model_validate(named.model_dump(mode="json")) == named
