"""What import-linter's floors of training cannot state: shapes, one definition, tests in place."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.source_tree import ROOT, SourceModule, modules_of

ARRAYS = "training/foundation/arrays.py"
#: The element types that have a name there.
NAMED = re.compile(r"^(?:\w+\.)*NDArray\[(?:\w+\.)?(uint8|bool_|int64|float32|float64)\]$")


def test_each_kind_of_array_is_defined_once() -> None:
    """Seventeen files each had an array type of their own, and the names did not agree."""
    offenders = [
        f"{module.name}:{statement.lineno} {ast.unparse(statement.value)}"
        for module in modules_of("training")
        if module.name != ARRAYS
        for statement in module.tree.body
        if isinstance(statement, ast.Assign)
        if NAMED.match(ast.unparse(statement.value))
    ]
    assert not offenders


def studies() -> list[SourceModule]:
    """Return the modules that are studies: those with a ``run``."""
    return [module for module in modules_of("training/studies") if "run" in functions_of(module)]


def functions_of(module: SourceModule) -> dict[str, list[str]]:
    """Return the names of the arguments of each function of a module that has no star before."""
    return {
        node.name: [argument.arg for argument in node.args.args]
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef)
    }


def names_of(module: SourceModule) -> set[str]:
    """Return what a module defines: functions, and names that are given a value."""
    assigned = {
        target.id
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return assigned | functions_of(module).keys()


def test_every_folder_of_studies_holds_one_study() -> None:
    found = {PurePosixPath(study.name).parent.name for study in studies()}
    folders = {path.parent.name for path in (ROOT / "training" / "studies").glob("*/__init__.py")}
    assert found == folders | {"studies"}


@pytest.mark.parametrize("study", studies(), ids=lambda study: study.name)
def test_a_study_is_asked_of_data_and_a_model_and_makes_tables(study: SourceModule) -> None:
    """One shape, so that one command can run, print, keep and judge any of them."""
    asked = functions_of(study)["run"]
    assert asked == (["data", "recipes"] if "losses" in study.name else ["data", "model"])
    assert "tables" in names_of(study)


def test_a_command_defines_no_class_and_calculates_nothing() -> None:
    """What a command would know, nobody else could call."""
    offenders = [
        f"{module.name}:{node.lineno}"
        for module in modules_of("training/cli")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    ] + [
        f"{module.name}:{line} {imported}"
        for module in modules_of("training/cli")
        for imported, line in module.imported_modules()
        if imported in {"cv2", "numpy", "scipy", "torch"}
    ]
    assert not offenders


def test_tests_of_training_lie_where_the_code_lies() -> None:
    folders = {
        PurePosixPath(module.name).relative_to("tests").parent
        for module in modules_of("tests/training")
    }
    assert not [str(folder) for folder in folders if not (ROOT / folder).is_dir()]


def test_the_domains_tests_know_no_training() -> None:
    offenders = [
        f"{module.name}:{line}"
        for module in modules_of("tests/domain", "tests/services")
        for imported, line in module.imported_modules()
        if imported.partition(".")[0] == "training"
    ]
    assert not offenders
