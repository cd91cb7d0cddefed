"""Run by tests/test_packaging.py in an environment that has Airflow and the built package, and nothing else.

It runs several of Airflow's commands in one process, for each process of Airflow takes seconds to start, and
prints what they told as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

COMMANDS = {
    "list": "providers list",
    "get": "providers get airflow-provider-whatsapp",
    "hooks": "providers hooks",
    "triggers": "providers triggers",
    "widgets": "providers widgets",
    "behaviours": "providers behaviours",
    "links": "providers links",
    "notifications": "providers notifications",
    "plugins": "plugins",
}


def command(parser: Any, line: str) -> Any:
    """Return what a command of Airflow's prints, as data."""
    told = io.StringIO()
    arguments = parser.parse_args([*line.split(), "--output", "json"])
    with contextlib.redirect_stdout(told):
        arguments.func(arguments)
    return json.loads(told.getvalue() or "[]")


def forms() -> dict[str, Any]:
    """Return what the page for a new connection is made of, by connection type."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    return {form.connection_type: form.model_dump() for form in HookMetaService.hook_meta_data()}


def named(info: dict[str, Any]) -> list[str]:
    """Import everything that the metadata name, and return what could not be."""
    modules = [
        name for kind in ("hooks", "operators", "sensors", "triggers") for name in _modules(info, kind)
    ]
    classes = [*info["extra-links"], *info.get("notifications", []), *info.get("cli", [])]
    classes += [entry["hook-class-name"] for entry in info["connection-types"]]
    absent = []
    for path in [*modules, *classes]:
        module, name = (path, None) if path in modules else path.rsplit(".", 1)
        try:
            found = import_module(module)
            if name:
                getattr(found, name)
        except (ImportError, AttributeError) as error:
            absent.append(f"{path}: {error!r}")
    return absent


def _modules(info: dict[str, Any], kind: str) -> list[str]:
    return [module for entry in info[kind] for module in entry["python-modules"]]


def dags(folder: Path) -> dict[str, str]:
    """Let Airflow read a folder of DAG files; return of each file the DAG's name, or why it can't be read."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before Airflow 3.2
        from airflow.models.dagbag import DagBag

    bag = DagBag(str(folder))
    found = {Path(dag.fileloc).name: name for name, dag in bag.dags.items()}
    return found | {Path(file).name: text.splitlines()[-1] for file, text in bag.import_errors.items()}


def main(examples: Path) -> None:
    """Print it all."""
    from airflow import __version__ as airflow_version
    from airflow.cli.cli_parser import get_parser

    import whatsapp_provider
    from whatsapp_provider.get_provider_info import get_provider_info

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        # First, as in a server: once Airflow 3.1 has asked the hooks where wtforms is missing, it never asks again.
        shown = forms()
        parser = get_parser()
        told = {name: command(parser, line) for name, line in COMMANDS.items()}
        told |= {
            "airflow": airflow_version,
            "version": whatsapp_provider.__version__,
            "file": whatsapp_provider.__file__,
            "info": get_provider_info(),
            "absent": named(get_provider_info()),
            "dags": dags(examples),
            "forms": shown,
        }
    told["warned"] = [str(one.message) for one in warned if "whatsapp" in f"{one.message} {one.filename}"]
    sys.stdout.write(f"\n{json.dumps(told, default=str)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
