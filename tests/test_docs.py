"""The pages of ``docs/`` say what is true: what they name exists, what they show runs, what they link to is there."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import airflow.sdk
import pytest
from airflow.cli import cli_parser
from airflow.configuration import conf
from airflow.sdk import BaseNotifier, BaseOperator, BaseSensorOperator
from sqlalchemy import create_engine, text

from tests.docs_pages import PAGES, PROJECT, as_it_should_be, marked, parameters, public_classes
from tests.versions import AIRFLOW
from whatsapp_provider.campaigns import report
from whatsapp_provider.campaigns.ledger import schema, sql_views
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.get_provider_info import get_provider_info
from whatsapp_provider.hooks.ledger import locate_ledger
from whatsapp_provider.hooks.whatsapp import WhatsAppHook

PACKAGE = PROJECT / "whatsapp_provider"
#: Pages that link to the documentation, or are linked from it.
ALSO_READ = [
    PROJECT / name
    for name in ("README.md", "CONTRIBUTING.md", "whatsapp_provider/gateways/ADDING_A_GATEWAY.md")
]
#: Names in code that are Airflow's, of providers that need not be installed, or of an example's imports.
OTHERS = {
    "WhatsApp",
    "WhatsCloud",
    "CeleryExecutor",
    "KubernetesExecutor",
    "LocalExecutor",
    "HttpOperator",
    "ApprovalOperator",
}
#: What the pages quote of Airflow.
AIRFLOW_SAYS = (
    "The host or port to test differs from the stored connection.",
    "the task instance's state attribute is …",
)
#: Sections of Airflow's configuration that its older versions lack.
NEWER_SECTIONS = {"connection_test"}
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
each_class = pytest.mark.parametrize("path", public_classes())


def blocks(language: str, pages: list[Path] | None = None) -> list[tuple[str, str]]:
    """Return place and text of each block of a language."""
    return [
        (f"{page.name}, block {number}", textwrap.dedent(body))
        for page in pages or [*PAGES, *ALSO_READ]
        for number, (found, body) in enumerate(_FENCE.findall(page.read_text("utf-8")), start=1)
        if found == language
    ]


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", page.read_text("utf-8"))


def code(page: Path) -> list[str]:
    """Return what is marked as code within a page's sentences and tables."""
    return re.findall(r"`([^`\n]+)`", prose(page))


# -- what is taken from the code -------------------------------------------------------------------


@each_page
def test_tables_and_examples_are_what_the_code_has(page: Path) -> None:
    assert page.read_text("utf-8") == as_it_should_be(page), "run: python -m tests.docs_pages"


@each_page
def test_every_mark_is_closed(page: Path) -> None:
    text = page.read_text("utf-8")
    opened = re.findall(r"<!-- ([a-z]+)(?:: [^>]+)? -->", text)
    assert opened == re.findall(r"<!-- /([a-z]+) -->", text)


@each_class
def test_every_public_class_has_a_section_with_all_its_parameters(path: str) -> None:
    cls = public_classes()[path]
    found = [(page, table) for page, of, table in marked("params") if of == path]
    assert len(found) == 1, f"{path} is documented {len(found)} times"
    page, table = found[0]
    assert f"\n## {cls.__name__}\n" in page.read_text("utf-8")
    # Not by way of what made the table: Airflow's own view of the constructor.
    taken = {
        name for base in cls.__mro__ if base.__module__.startswith("whatsapp_provider") for name in _own(base)
    }
    assert taken
    assert {name for name in taken if f"| `{name}` |" not in table} == set()


def _own(cls: type) -> set[str]:
    init = vars(cls).get("__init__")
    return set(inspect.signature(init).parameters) - {"self", "kwargs"} if init else set()


def test_each_gateway_has_a_page_with_its_form_and_what_it_lacks() -> None:
    for kind in ("fields", "lacking"):
        assert {page.stem for page, of, _ in marked(kind) if of == page.stem} == set(GATEWAYS)


def test_the_report_has_the_keys_that_are_described() -> None:
    (table,) = re.findall(
        r"<!-- keys -->(.*?)<!-- /keys -->", (PROJECT / "docs/campaigns.md").read_text("utf-8"), re.S
    )
    described = [
        name
        for line in table.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    ]
    returned = ast.parse(inspect.getsource(report.report)).body[0].body[-1].value
    assert sorted(described) == sorted(ast.literal_eval(key) for key in returned.keys)


@each_page
def test_every_row_of_a_table_has_as_many_cells_as_its_head(page: Path) -> None:
    """A bar inside of a cell, in code too, has to be escaped."""
    for table in re.findall(r"(?:^\|.*\|\n)+", page.read_text("utf-8"), re.MULTILINE):
        counts = {row: len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(set(counts.values())) == 1, [
            row for row in counts if counts[row] != counts[table.splitlines()[0]]
        ]


# -- links ----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *ALSO_READ], ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    wrong = []
    for target, anchor in _LINK.findall(prose(page)):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            wrong.append(f"{target}#{anchor}")
    assert wrong == []


def test_every_page_is_linked_from_the_index() -> None:
    index = PROJECT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target, _ in _LINK.findall(prose(index))}
    assert set(PAGES) - linked - {index} == set()


# -- Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "body"), blocks("python"), ids=lambda value: value if "block" in value else ""
)
def test_python_is_written_for_what_there_is(place: str, body: str) -> None:
    """It parses; what it imports is there; our classes take the arguments that it gives."""
    ours = {cls.__name__: cls for cls in public_classes().values()}
    for node in ast.walk(ast.parse(body)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_installed(node.module or ""):
            module = import_module(node.module or "")
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []
        if isinstance(node, ast.Call):
            cls = ours.get(ast.unparse(node.func))
            given = {keyword.arg for keyword in node.keywords}
            assert cls is None or given <= _taken(cls), (
                f"{place}: {cls.__name__} takes no {given - _taken(cls)}"
            )


def _is_installed(module: str) -> bool:
    # One example needs Airflow's HTTP provider, which is an extra.
    return not module.startswith("airflow.providers.http")


def _taken(cls: type) -> set[str]:
    taken = set(parameters(cls))
    for base in (BaseOperator, BaseSensorOperator, BaseNotifier):
        if issubclass(cls, base):
            taken |= set(inspect.signature(base.__init__).parameters)
    return taken


@cache
def defined() -> set[str]:
    """Return the names of all classes of the package."""
    trees = (ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


@each_page
def test_every_class_named_exists(page: Path) -> None:
    named = {name for span in code(page) for name in re.findall(r"(?<![\w./])[A-Z][a-z]+[A-Z]\w*", span)}
    assert {name for name in named if not _exists(name)} == set()


def _exists(name: str) -> bool:
    known = (
        airflow.sdk,
        import_module("airflow.exceptions"),
        import_module("airflow.sdk.definitions.deadline"),
    )
    return name in defined() | OTHERS or any(hasattr(module, name) for module in known)


@each_page
def test_every_path_into_the_package_leads_somewhere(page: Path) -> None:
    for path in (span for span in code(page) if re.fullmatch(r"whatsapp_provider(\.\w+)+", span)):
        try:
            import_module(path)
        except ModuleNotFoundError:
            module, _, name = path.rpartition(".")
            assert hasattr(import_module(module), name), path


# -- connections, commands, settings, SQL ----------------------------------------------------------


def commands() -> Iterator[str]:
    """Return the command lines of all console blocks, without prompt and comment."""
    for _, body in blocks("console"):
        for line in re.sub(r"\\\n\s*", "", body).splitlines():
            if line.lstrip().startswith("$ "):
                yield line.lstrip().removeprefix("$ ")


def connections() -> Iterator[str]:
    """Return each connection that is shown: as Airflow's environment takes it, or the command that adds it."""
    for line in commands():
        yield from re.findall(r"AIRFLOW_CONN_WHATSAPP_\w+='([^']+)'", line)
        if line.startswith("airflow connections add"):
            yield line


def _added_by(line: str) -> dict[str, Any]:
    words = [re.sub(r"^\$\w+$", "0123456789ABCDEF", word) for word in shlex.split(line)]
    given = vars(cli_parser.get_parser().parse_args(words[1:]))
    told = {name: given[f"conn_{name}"] for name in ("host", "login", "password", "schema", "port")}
    return {**told, "conn_type": given["conn_type"], "extra": json.loads(given["conn_extra"] or "{}")}


@pytest.mark.parametrize("shown", connections())
def test_every_connection_shown_can_be_opened(shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    added = _added_by(shown) if shown.startswith("airflow") else {}
    monkeypatch.setenv("AIRFLOW_CONN_SHOWN", json.dumps(added) if added else shown)
    driver = {"postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}.get(added.get("conn_type", ""))
    if driver:
        monkeypatch.setenv("AIRFLOW__WHATSAPP__LEDGER_CONN_ID", "shown")
        assert locate_ledger().render_as_string() == f"{driver}://whatsapp:***@db/whatsapp"
        return
    gateway = WhatsAppHook("shown").gateway
    own = gateway.default_channel
    assert own or gateway.account()


def test_each_gateway_is_shown_as_uri_as_json_and_on_the_command_line() -> None:
    for line in GATEWAYS.values():
        page = (PROJECT / "docs" / "connections" / f"{line.name}.md").read_text("utf-8")
        uri = f"'{line.connection_type.replace('_', '-')}://"
        assert all(
            way in page
            for way in (uri, f'"conn_type": "{line.connection_type}"', f"--conn-type {line.connection_type}")
        )


@pytest.mark.parametrize("line", [line for line in commands() if re.match(r"airflow \w+", line)])
def test_every_airflow_command_is_understood(line: str) -> None:
    if line.startswith("airflow whatsapp") and AIRFLOW < (3, 2):
        pytest.skip("Airflow 3.1 takes no commands of a provider")
    words = [re.sub(r"^\$\w+$", "1", word) for word in shlex.split(line, comments=True)]
    assert cli_parser.get_parser().parse_args(words[1:])


@each_page
def test_every_setting_named_exists(page: Path) -> None:
    named = {found for span in code(page) for found in re.findall(r"\[(\w+)\] (\w+)", span)}
    told = {**conf.configuration_description, **get_provider_info()["config"]}
    sections = {name: set(section["options"]) for name, section in told.items()}
    missing = {(section, option) for section, option in named if option not in sections.get(section, ())}
    assert {found for found in missing if AIRFLOW >= (3, 3) or found[0] not in NEWER_SECTIONS} == set()


@pytest.mark.parametrize(
    ("place", "body"), blocks("sql"), ids=lambda value: value if "block" in value else ""
)
def test_sql_runs_on_a_ledger(place: str, body: str) -> None:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        sql_views.make(connection)
        for statement in filter(str.strip, body.split(";")):
            connection.execute(text(statement))


# -- messages -------------------------------------------------------------------------------------


@cache
def said_by_the_code() -> list[str]:
    """Return all texts of the package, with ``…`` where a value is put in."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"%\.?\d*[sdrf]", "…", node.value))
    return found


def quoted() -> Iterator[str]:
    """Return the messages that the tables of errors quote."""
    for page, _, table in marked("messages"):
        rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| `")]
        assert rows, page
        yield from (row.strip("`") for row in rows)


def spoken() -> Iterator[str]:
    """Return what the pages quote in their sentences: three words or more in quotation marks."""
    for page in PAGES:
        sentences = re.sub(r"`[^`\n]+`", "", prose(page))
        yield from (said for said in re.findall(r'"([^"]+)"', sentences) if len(said.split()) > 2)


@pytest.mark.parametrize("message", sorted({*quoted(), *spoken()} - set(AIRFLOW_SAYS)))
def test_every_message_quoted_is_one_of_the_code(message: str) -> None:
    pieces = [re.escape(piece.strip()) for piece in " ".join(message.split()).split("…") if piece.strip()]
    assert any(re.search(".*".join(pieces), said, re.DOTALL) for said in said_by_the_code())


def test_what_airflow_says_is_still_quoted() -> None:
    assert set(spoken()) >= set(AIRFLOW_SAYS)


def test_a_form_that_is_shown_incomplete_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOWN", '{"conn_type": "whapi"}')
    with pytest.raises(ConfigurationError):
        _ = WhatsAppHook("shown").gateway
