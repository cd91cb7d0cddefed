"""The layers of ARCHITECTURE.md, and the few rules of form that hold for every module.

An import counts wherever it stands: at the top, in a function, or for the type checker alone.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import whatsapp_provider
from whatsapp_provider.gateways.registry import GATEWAYS

ROOT = Path(whatsapp_provider.__file__).parent
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 49


@dataclass(frozen=True)
class Layer:
    """Modules by their names without the package's, what of ours they may import, and what of others."""

    members: tuple[str, ...]
    ours: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


#: What can be known of a file without asking for it.
MEDIA = ("media.kinds", "media.addresses", "media.urls", "media.findings")
BOTTOM = ("errors", "redaction", "model", "messages", "templates", "waiting", *MEDIA)
#: What all gateways share.
GATEWAY_PARTS = (
    "gateways.base",
    "gateways.connection",
    "gateways.directory",
    "gateways.limited",
    "gateways.meta",
    "gateways.meta_limits",
    "gateways.meta_templates",
    "gateways.reading",
)
#: What their callers know of them.
CALLED = ("gateways.base", "gateways.directory")
EDGE = ("hooks", "operators", "sensors", "triggers", "plugin.urls")
#: From the bottom up; the first layer that a module belongs to is its own.
LAYERS = (
    Layer(("__init__",)),
    Layer(("errors", "redaction")),
    Layer(("model",), ("errors",)),
    Layer(("audiences",), ("errors",)),
    Layer(("messages",), ("errors", "messages"), ("pydantic",)),
    Layer(("templates",), ("errors", "messages")),
    Layer(("waiting",), ("errors", "model")),
    Layer(("dispositions",), ("errors",)),
    Layer(("deadline",), ("dispositions",)),
    Layer(("exchange",), ("dispositions", "errors")),
    Layer(("wire_failures",), ("errors", "dispositions"), ("httpx",)),
    Layer(("network",), (), ("httpx",)),
    Layer(("conversation",), ("exchange", "network"), ("h11", "httpx")),
    Layer(
        ("places",),
        ("conversation", "errors", "deadline", "exchange", "network", "wire_failures"),
        ("h11", "httpx"),
    ),
    Layer(
        ("transport",),
        ("__init__", "errors", "deadline", "dispositions", "exchange", "places", "wire_failures"),
        ("httpx",),
    ),
    Layer(MEDIA, ("errors", "redaction", "messages", *MEDIA)),
    Layer(("media.judging",), ("redaction", "exchange", *MEDIA)),
    Layer(("media",), ("errors", "redaction", "exchange", "transport", "media")),
    Layer(("http",), ("errors", "redaction", "dispositions", "exchange", "transport"), ("tenacity",)),
    Layer(("gateways.connection",), ("errors", "model")),
    Layer(("gateways.directory",), ("errors",)),
    Layer(("gateways.base",), ("errors", "gateways.directory", "messages", "model", "templates")),
    Layer(("gateways.limited",), ("gateways.base", "gateways.directory", "messages", "model", "templates")),
    Layer(("gateways.meta",), ("errors", "redaction")),
    Layer(("gateways.meta_limits",), ("errors", "messages")),
    Layer(("gateways.meta_templates",), ("errors", "messages", "templates")),
    Layer(("gateways.reading",), ("errors", "redaction"), ("pydantic",)),
    # For the type checker it names what a line opens.
    Layer(("gateways.registry",), ("errors", "gateways.base", "gateways.connection", "transport")),
    *(
        Layer(
            (f"gateways.{name}",),
            (*BOTTOM, "exchange", "http", "transport", *GATEWAY_PARTS, f"gateways.{name}"),
            ("pydantic",),
        )
        for name in (line.folder.rpartition(".")[2] for line in GATEWAYS.values())
    ),
    Layer(
        ("campaigns",),
        (*BOTTOM, "deadline", "gateways.base", "campaigns"),
        ("sqlalchemy", "jinja2", "phonenumbers", "markupsafe", "pyarrow"),
    ),
    Layer(
        ("hooks",),
        (
            *BOTTOM,
            *CALLED,
            "audiences",
            "gateways.connection",
            "gateways.registry",
            "campaigns",
            "media",
            "hooks",
        ),
        ("airflow",),
    ),
    Layer(("get_provider_info",), ("__init__", "gateways.registry", "gateways.connection")),
    Layer(
        ("operators", "sensors", "triggers", "notifications"),
        (*BOTTOM, *CALLED, "audiences", "campaigns", *EDGE),
        ("airflow",),
    ),
    Layer(
        ("plugin",),
        (*BOTTOM, "gateways.base", "gateways.registry", "campaigns", "hooks", "plugin"),
        ("airflow", "fastapi", "starlette"),
    ),
    Layer(
        ("cli", "__main__"),
        (
            "__init__",
            *BOTTOM,
            "gateways.base",
            "gateways.registry",
            "campaigns.ledger",
            "hooks",
            "plugin.urls",
            "cli",
        ),
        ("airflow",),
    ),
    Layer(
        ("emulator",),
        ("__init__", "model", "gateways.registry", "emulator"),
        ("starlette", "uvicorn", "segno"),
    ),
    Layer(("demo",), ("demo", "emulator"), ("psutil",)),
)
#: One module, one import, and why.
EXCEPTIONS = {
    ("emulator.app", "httpx"): "for the type checker: it takes the webhooks' transport",
    ("emulator.outbox", "httpx"): "the emulator calls webhooks as the gateways do",
    ("emulator.world", "httpx"): "for the type checker: it takes the webhooks' transport",
    (
        "hooks.forms",
        "wtforms",
    ): "Airflow 3.1 asks a hook for its form in these terms; named in the function alone",
    ("campaigns.ledger.migrations", "alembic"): "adds a column on each database; comes with Airflow",
    ("cli.doctor.connections", "sqlalchemy"): "WhatsApp connections are selected in Airflow's database",
    ("cli.doctor.ledger", "sqlalchemy"): "for the type checker: it is given the ledger's URL",
    (
        "cli.doctor.settings",
        "sqlalchemy",
    ): "Airflow's database may be out of reach when the triggerer is looked for",
    ("hooks.compat", "asgiref"): "before Airflow 3.3 its threads alone may talk to the supervisor for a loop",
    ("hooks.ledger", "sqlalchemy"): "an Airflow connection becomes the ledger's URL, its password hidden",
    (
        "operators.staleness",
        "croniter",
    ): "when a schedule's next runs are due; Airflow's own timetables on a worker do not tell",
    ("operators.base", "jinja2"): "template files are found by a loader put before Airflow's",
    ("plugin.access", "sqlalchemy"): "the connections a person may see are selected in Airflow's database",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of the package by its name without the package's."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts if parts == ("__init__",) or parts[-1] != "__init__" else parts[:-1])
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def source(name: str) -> Path:
    """Return the file of a module."""
    path = ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(name: str) -> Iterator[tuple[str, bool]]:
    """Yield what a module imports and whether that is ours."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for imported in names:
            yield _resolved(imported)


def _resolved(imported: str) -> tuple[str, bool]:
    package, _, inner = imported.partition(".")
    if package != ROOT.name:
        return imported, False
    while inner and inner not in modules():
        inner = inner.rpartition(".")[0]
    return inner or "__init__", True


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def layer_of(name: str) -> Layer | None:
    return next((layer for layer in LAYERS if within(name, layer.members)), None)


each_module = pytest.mark.parametrize("name", modules())


@each_module
def test_a_module_belongs_to_a_layer_and_imports_only_what_that_may(name: str) -> None:
    layer = layer_of(name)
    if name == "gateways":
        assert list(imports(name)) == []
        return
    assert layer is not None, f"{name} is in no layer; say in LAYERS where it belongs"
    for imported, is_ours in imports(name):
        top = imported.partition(".")[0]
        if is_ours:
            # A folder without a module of its own imports nothing by being named.
            allowed = within(imported, layer.ours)
        else:
            allowed = top in sys.stdlib_module_names or within(imported, layer.others)
        assert allowed or (name, top) in EXCEPTIONS, f"{name} imports {imported}"


def test_every_exception_is_still_needed() -> None:
    assert {
        (name, imported.partition(".")[0])
        for name in modules()
        for imported, is_ours in imports(name)
        if not is_ours and (name, imported.partition(".")[0]) in EXCEPTIONS
    } == set(EXCEPTIONS)


def test_the_wire_alone_knows_the_http_library() -> None:
    library = ("httpx", "h11")
    owners = {name for name in modules() for imported, _ in imports(name) if within(imported, library)}
    # The emulator's settings of webhooks name its type; they are for the type checker.
    assert {name for name in owners if not name.startswith("emulator.")} == {
        "transport",
        "places",
        "network",
        "conversation",
        "wire_failures",
    }


def test_no_gateway_knows_another() -> None:
    folders = {line.folder.removeprefix(f"{ROOT.name}.") for line in GATEWAYS.values()}
    for name in modules():
        own = {folder for folder in folders if within(name, (folder,))}
        known = {folder for folder in folders for imported, _ in imports(name) if within(imported, (folder,))}
        assert known <= own, f"{name} imports the folder of a gateway"


# -- form -----------------------------------------------------------------------------------------


@each_module
def test_a_module_is_short_and_says_what_it_is_for(name: str) -> None:
    lines = source(name).read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert ast.get_docstring(modules()[name]), f"{name} has no docstring"


def test_functions_are_short() -> None:
    found = {
        f"{name}.{node.name}"
        for name in modules()
        for node, _ in _definitions(modules()[name])
        if not isinstance(node, ast.ClassDef)
        if (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    }
    assert not found


@each_module
def test_what_is_public_has_a_docstring(name: str) -> None:
    for node, is_public in _definitions(modules()[name]):
        assert not is_public or ast.get_docstring(node), f"{name}:{node.lineno} {node.name} has no docstring"


Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _definitions(tree: ast.AST, *, public: bool = True) -> Iterator[tuple[Definition, bool]]:
    """Yield every definition and whether a caller elsewhere may use it; what is nested may not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Definition):
            is_public = public and not node.name.startswith("_") and not _overloads(node)
            yield node, is_public
            yield from _definitions(node, public=is_public and isinstance(node, ast.ClassDef))
        else:
            yield from _definitions(node, public=public)


def _overloads(node: Definition) -> bool:
    return any(
        isinstance(mark, ast.Name) and mark.id in {"overload", "override"} for mark in node.decorator_list
    )


# -- what an import loads -------------------------------------------------------------------------

HEAVY = (
    "h11",
    "httpx",
    "httpcore",
    "phonenumbers",
    "sqlalchemy",
    "jinja2",
    "fastapi",
    "starlette",
    "tenacity",
)
FOLDERS = tuple(line.folder.removeprefix(f"{ROOT.name}.") for line in GATEWAYS.values())
#: A DAG file, a worker and the scheduler import these; Airflow's own SDK comes before them.
EDGE_MODULES = [
    name for name in modules() if within(name, ("hooks", "operators", "sensors", "triggers", "notifications"))
]
#: The plugin's own module, which Airflow imports in every process, and what that may load.
LIGHT_MODULES = ["plugin", "plugin.lazy", "plugin.urls", "get_provider_info", "cli", "__init__"]
SCRIPT = """
import sys
{first}
before = set(sys.modules)
{then}
print("\\n".join(sorted(set(sys.modules) - before)))
"""


def at_import(name: str) -> Iterator[tuple[str, bool]]:
    """Yield what a module imports when it is imported itself: not in functions, not for the type checker."""
    pending: list[ast.AST] = [modules()[name]]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{alias.name}" for alias in node.names]
            )
            yield from map(_resolved, names)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                pending.extend(node.orelse)
            else:
                pending.extend(ast.iter_child_nodes(node))


def with_all_it_loads(name: str) -> tuple[set[str], set[str]]:
    """Return the modules of ours and of others that importing one module of ours loads, by our code."""
    ours, others, pending = set[str](), set[str](), [name]
    while pending:
        current = pending.pop()
        if current in ours:
            continue
        ours.add(current)
        pending.extend(f"{current[:at]}" for at, sign in enumerate(current) if sign == ".")
        for imported, is_ours in at_import(current):
            if is_ours:
                pending.append(imported)
            else:
                others.add(imported)
    return ours, others


def of(names: set[str], prefixes: tuple[str, ...]) -> set[str]:
    return {name for name in names if within(name, prefixes)}


@pytest.mark.parametrize("name", EDGE_MODULES + LIGHT_MODULES)
def test_an_import_at_airflows_edge_reaches_nothing_heavy_and_no_gateway(name: str) -> None:
    ours, others = with_all_it_loads(name)
    # Airflow's SDK is made of pydantic; what every process loads is not to need it.
    assert of(others, (*HEAVY, "pydantic") if name in LIGHT_MODULES else HEAVY) == set()
    assert of(ours, (*FOLDERS, "http", "transport", "campaigns.ledger", "emulator", "demo")) == set()


def loaded(first: str, then: str) -> set[str]:
    """Return the modules that one import loads after another one, in a process of its own."""
    script = SCRIPT.format(first=first, then=then)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_beyond_airflows_sdk_a_dag_file_loads_nothing_heavy() -> None:
    news = loaded("import airflow.sdk", "\n".join(f"import {ROOT.name}.{name}" for name in EDGE_MODULES))
    assert of(news, HEAVY) == set()
    assert of(news, tuple(f"{ROOT.name}.{name}" for name in (*FOLDERS, "http", "transport"))) == set()


def test_what_airflow_asks_a_provider_for_is_data_and_loads_only_the_forms() -> None:
    news = loaded("", f"import {ROOT.name}.get_provider_info as info; info.get_provider_info()")
    assert of(news, (*HEAVY, "airflow", "pydantic")) == set()
    folders = {f"{ROOT.name}.{folder}" for folder in FOLDERS}
    forms = {f"{folder}.connection" for folder in folders}
    assert of(news, tuple(folders)) <= folders | forms
