"""Commands that are imported when they are run: ``--help`` waits for no torch.

What a command does is said by its own docstring, which is read without importing its module.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path

import typer
from typer.main import get_command

#: Everything behind the command's name is for the command itself, ``--help`` too.
_PASSED_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}


def add_lazily(app: typer.Typer, name: str, place: str) -> None:
    """Add the command ``name`` to ``app``.

    ``place`` is ``module:function``, or ``module:app`` for a group of commands.
    """

    def run_lazily(context: typer.Context) -> None:
        _run(context, place)

    settings = dict(_PASSED_ON)
    app.command(name, help=described(place), add_help_option=False, context_settings=settings)(
        run_lazily
    )


def described(place: str) -> str:
    """Return the docstring of a command's function, or of the module of a group."""
    module, name = place.split(":")
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {module}")
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
    return ast.get_docstring(tree) or ""


def _run(context: typer.Context, place: str) -> None:
    """Import the command and run it with what stands behind its name."""
    module, name = place.split(":")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(context.info_name)(found)
        found = alone
    command = get_command(found)
    with command.make_context(context.info_name, list(context.args), context.parent) as real:
        command.invoke(real)
