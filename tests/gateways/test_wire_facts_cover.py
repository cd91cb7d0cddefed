"""Nothing is asked of a gateway, and no kind of message sent, without a source that shows how.

Endpoints are read off the code: each text in a gateway's folder that is written like a path, wherever it stands.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways.wire_facts import Fact
from whatsapp_provider.gateways.registry import GATEWAYS

#: Two parts or more between slashes, or one after a slash; ``{}`` where code puts a value in.
PATH = re.compile(r"/?[A-Za-z_{}][\w{}.-]*(/[\w{}.-]+)+|/[A-Za-z_][\w-]*")
MIME = re.compile(r"/?(application|audio|image|multipart|text|video)/")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}

each_gateway = pytest.mark.parametrize("name", sorted(GATEWAYS))


def facts_of(name: str) -> tuple[Fact, ...]:
    """Return a gateway's wire facts."""
    return tuple(importlib.import_module(f"tests.gateways.{name}_facts").WIRE)


def methods(tree: ast.AST) -> dict[int, str]:
    """Return the method of each path that is handed to a call beside its method, by the node of the path."""
    found = {}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        named = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and arg.value in METHODS]
        if not named and getattr(call.func, "attr", "") in {"get", "_get"}:
            named = ["GET"]
        # The path may be handed to a helper that completes it, in the same call.
        found |= {id(part): method for method in named for arg in call.args for part in ast.walk(arg)}
    return found


def written(tree: ast.AST) -> Iterator[tuple[str | None, str]]:
    """Yield the texts of a module that are written like paths, each with its method where that is told.

    A value in one becomes ``{}``.
    """
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
        if isinstance(part, ast.Constant)
    }
    method_of = methods(tree)
    for node in ast.walk(tree):
        text = None
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            text = "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose | inner:
            text = node.value
        if text is not None and PATH.fullmatch(text) and not MIME.match(text) and text.strip("/{}"):
            yield method_of.get(id(node)), text


def endpoints(folder: Path) -> dict[tuple[str | None, str], str]:
    """Return the endpoints in a folder's code, with the module that has each.

    What reads people's connections is left out: it knows addresses, and asks nothing.
    """
    return {
        endpoint: path.name
        for path in sorted(folder.glob("*.py"))
        if path.name != "connection.py"
        for endpoint in written(ast.parse(path.read_text(encoding="utf-8")))
    }


def shows(fact: Fact, method: str | None, endpoint: str) -> bool:
    """Whether a fact is one of this endpoint; code may leave the channel's own part of a path to a helper."""
    parts = tuple(endpoint.strip("/").split("/"))
    begun = zip(fact.path, parts, strict=False)
    return (
        len(fact.path) >= len(parts)
        and method in (None, fact.asked.partition(" ")[0])
        and all("{}" in (ours, theirs) or ours == theirs for ours, theirs in begun)
    )


@each_gateway
def test_each_endpoint_of_the_code_has_a_fact(name: str) -> None:
    folder = Path(importlib.import_module(GATEWAYS[name].folder).__file__ or "").parent
    found = endpoints(folder)
    assert found, f"no path was found in {folder}"
    facts = facts_of(name)
    lacking = [
        f"{method or ''} {path} ({module})".strip()
        for (method, path), module in found.items()
        if not any(shows(fact, method, path) for fact in facts)
    ]
    assert lacking == []


@each_gateway
def test_each_kind_of_message_has_a_fact(name: str) -> None:
    shown = {fact.kind for fact in facts_of(name)}
    assert sorted(GATEWAYS[name].capabilities.message_kinds - shown) == []


@each_gateway
def test_each_fact_names_its_source_and_what_was_asked(name: str) -> None:
    module = importlib.import_module(f"tests.gateways.{name}_facts")
    for fact in facts_of(name):
        method, _, path = fact.asked.partition(" ")
        assert method in METHODS, fact.asked
        assert path.startswith("/"), fact.asked
        tag = re.match(r"\[[^\]]+\]", fact.source)
        assert tag, f"{fact.asked} names no source"
        assert tag[0] in (module.__doc__ or ""), f"{tag[0]} of {fact.asked} is not explained in the module"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("client.get('/health')", [("GET", "/health")]),
        ("change('DELETE', f'/channels/{key}')", [("DELETE", "/channels/{}")]),
        ("request('POST', self.path(f'message/{route}'))", [("POST", "message/{}")]),
        ("self._ask('chat/findMessages')", [(None, "chat/findMessages")]),
        ("x = f'/contacts/{a}/groups/{b}'", [(None, "/contacts/{}/groups/{}")]),
        ("'''Ask /health.'''", []),
        ("x = 'image/png'", []),
        ("x = 'either/or, said in prose'", []),
        ("x = 'https://a.example/b'", []),
    ],
)
def test_a_path_is_told_from_other_texts(code: str, found: list[tuple[str | None, str]]) -> None:
    assert list(written(ast.parse(code))) == found


def test_a_fact_shows_an_endpoint_by_its_method_and_the_parts_of_its_path() -> None:
    fact = Fact("[X]", "GET /instance/connect/wa1", None, {})
    assert shows(fact, "GET", "/instance/connect/{}")
    assert shows(fact, None, "instance/connect")
    assert not shows(fact, "DELETE", "/instance/connect/{}")
    assert not shows(fact, "GET", "/instance/logout/{}")
    assert not shows(fact, None, "/instance/connect/{}/more")
