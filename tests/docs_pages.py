"""What README and ``docs/`` take from the code: ``python -m tests.docs_pages`` writes it between their marks.

A mark is a comment before and one after, ``<!-- params: path.of.Class -->`` … ``<!-- /params -->``; what stands
between is never written by hand.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk import BaseHook, BaseNotifier, BaseOperator
from airflow.triggers.base import BaseTrigger

from tests import docs_dispositions, docs_forms, docs_matrix
from tests.docs_markdown import listed, markdown, summary, table
from whatsapp_provider import errors
from whatsapp_provider.get_provider_info import get_provider_info

PROJECT = Path(__file__).parent.parent
EXAMPLES = PROJECT / "dags_examples"
PAGES = sorted((PROJECT / "docs").rglob("*.md"))
#: The README has marks of its own beside those that are written here.
README = PROJECT / "README.md"
KINDS_OF_CLASSES = (BaseHook, BaseOperator, BaseTrigger, BaseNotifier)
#: What triggers say nothing of, because only our own sensors and operators give it.
_SHARED = {"whatsapp_conn_id": "a connection of one of the WhatsApp types."}
_MARK = re.compile(r"<!-- (?P<kind>[a-z]+)(?:: (?P<of>[^>]+?))? -->\n.*?<!-- /(?P=kind) -->", re.DOTALL)
_PARAM = re.compile(r"^:param (\w+):\s*(.*?)(?=^:\w+|\Z)", re.MULTILINE | re.DOTALL)


def as_it_should_be(path: Path) -> str:
    """Return a page with everything between its marks made anew."""
    up = "../" * (len(path.relative_to(PROJECT).parts) - 1)

    def made(mark: re.Match[str]) -> str:
        kind, of = mark["kind"], mark["of"] or ""
        if kind not in MAKERS:
            return mark[0]
        head = f"<!-- {kind}: {of} -->" if of else f"<!-- {kind} -->"
        return f"{head}\n{MAKERS[kind](of).replace('{up}', up)}\n<!-- /{kind} -->"

    return _MARK.sub(made, path.read_text("utf-8"))


def marked(kind: str) -> list[tuple[Path, str, str]]:
    """Return page, subject and text of each mark of a kind."""
    found = []
    for page in PAGES:
        marks = _MARK.finditer(page.read_text("utf-8"))
        found += [(page, mark["of"] or "", mark[0]) for mark in marks if mark["kind"] == kind]
    return found


# -- classes --------------------------------------------------------------------------------------


@cache
def public_classes() -> Mapping[str, type]:
    """Return the classes that users write down, by their paths: of the modules that Airflow is told of."""
    info = get_provider_info()
    told = [*info["hooks"], *info["operators"], *info["sensors"], *info["triggers"]]
    modules = {name for entry in told for name in entry["python-modules"]}
    modules |= {path.rpartition(".")[0] for path in info["notifications"]}
    return {
        f"{name}.{found.__name__}": found
        for name in sorted(modules)
        for found in vars(import_module(name)).values()
        if inspect.isclass(found) and found.__module__ == name and not found.__name__.startswith("_")
        if issubclass(found, KINDS_OF_CLASSES)
    }


def parameters(cls: type) -> Mapping[str, tuple[str, str]]:
    """Return default and meaning of each parameter that our part of a constructor has.

    :raises KeyError: if a parameter is not explained in a docstring.
    """
    ours = [base for base in cls.__mro__ if base.__module__.startswith("whatsapp_provider")]
    said = dict(_SHARED)
    for base in reversed(ours):
        said |= {name: markdown(text) for name, text in _PARAM.findall(inspect.getdoc(base) or "")}
    found: dict[str, tuple[str, str]] = {}
    for base in ours:
        if "__init__" not in vars(base):
            continue
        written = _written_defaults(base)
        for name, parameter in _given(vars(base)["__init__"]):
            if parameter.kind is not parameter.VAR_KEYWORD and name not in found:
                found[name] = (_default(parameter, written.get(name, "")), said[name])
    return found


def _written_defaults(cls: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    init = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    pairs = zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True)
    return {arg.arg: ast.unparse(default) for arg, default in pairs if default is not None}


def _default(parameter: inspect.Parameter, written: str) -> str:
    if parameter.default is parameter.empty:
        return "required"
    if configured := re.match(r"conf\.get\w*\('(\w+)', '(\w+)'", written):
        return f"`[{configured[1]}] {configured[2]}`"
    return f"`{parameter.default!r}`".replace("'", '"')


def _params(path: str) -> str:
    cls = public_classes()[path]
    rows = [[f"`{name}`", default, _capital(said)] for name, (default, said) in parameters(cls).items()]
    told = [table(["Parameter", "Default", "Meaning"], rows)]
    if templated := getattr(cls, "template_fields", ()):
        told += ["", f"Templated: {listed(templated)}."]
    if private := getattr(cls, "private_fields", ()):
        told += ["", f"Masked in what Airflow stores of the rendered task: {listed(private)}."]
    return "\n".join(told)


def _methods(path: str) -> str:
    rows = []
    ours = [
        base for base in public_classes()[path].__mro__ if base.__module__.startswith("whatsapp_provider")
    ]
    for name, found in [each for base in ours for each in vars(base).items()]:
        if name.startswith("_"):
            continue
        if isinstance(found, property):
            rows.append([f"`{name}`", summary(found)])
        elif inspect.isfunction(found):
            awaited = "await " if inspect.iscoroutinefunction(found) else ""
            given = [f"{name}=" if each.kind is each.KEYWORD_ONLY else name for name, each in _given(found)]
            rows.append([f"`{awaited}{name}({', '.join(given)})`", summary(found)])
    return table(["Method", "What it does"], rows)


def _given(function: Any) -> Iterator[tuple[str, inspect.Parameter]]:
    return ((name, each) for name, each in inspect.signature(function).parameters.items() if name != "self")


def _errors(_of: str) -> str:
    rows = [
        [f"`{name}`", f"`{found.disposition.value}`", summary(found)]
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, errors.WhatsAppError)
        if found is not errors.WhatsAppError
    ]
    return table(["Error", "Disposition", "Meaning"], rows)


def _capital(text: str) -> str:
    return text if text.startswith("`") else text[:1].upper() + text[1:]


# -- examples -------------------------------------------------------------------------------------


def _example(of: str) -> str:
    """Return a file of ``dags_examples/``, or the statement in it that calls the class named after it."""
    name, _, called = of.partition(" ")
    source = (EXAMPLES / name).read_text("utf-8")
    shown = _statement(source, called) if called else source.strip()
    return f"```python\n{shown}\n```\n\nFrom [`dags_examples/{name}`]({{up}}dags_examples/{name})."


def _statement(source: str, called: str) -> str:
    found = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign | ast.Expr)
        if isinstance(node.value, ast.Call) and ast.unparse(node.value.func).rpartition(".")[2] == called
    ]
    assert found, f"no statement calls {called}"
    lines = source.splitlines()
    first = found[0].lineno - 1
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return textwrap.dedent("\n".join(lines[first : found[0].end_lineno]))


MAKERS: Mapping[str, Callable[[str], str]] = {
    "params": _params,
    "methods": _methods,
    "errors": _errors,
    "causes": docs_dispositions.causes,
    "statuses": docs_dispositions.statuses,
    "example": _example,
    "fields": docs_forms.form_fields,
    "options": docs_forms.channel_options,
    "events": docs_forms.default_events,
    "settings": docs_forms.settings,
    "command": docs_forms.command,
    "tested": docs_forms.tested,
    "kinds": docs_forms.kinds,
    "paces": docs_forms.paces,
    "warmup": docs_forms.warm_up,
    "breaker": docs_forms.breaker,
    "lacking": docs_forms.lacking,
    "matrix": docs_matrix.matrix,
}


def main() -> None:
    """Write all pages anew and say which of them changed."""
    for path in (README, *PAGES):
        made = as_it_should_be(path)
        if made != path.read_text("utf-8"):
            path.write_text(made, "utf-8")
            sys.stdout.write(f"{path.relative_to(PROJECT)}: written anew\n")


if __name__ == "__main__":
    main()
