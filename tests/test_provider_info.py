"""What Airflow is told of the provider is true."""

from __future__ import annotations

import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import whatsapp_provider
from whatsapp_provider.gateways.connection import SHARED_FIELDS
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.get_provider_info import PACKAGE, get_provider_info

ROOT = Path(whatsapp_provider.__file__).parent
INFO = get_provider_info()
KINDS = ("hooks", "operators", "sensors", "triggers")
#: Parts of operators and hooks that a DAG author does not import.
INNER = {
    "whatsapp_provider.operators.base",
    "whatsapp_provider.operators.checking",
    "whatsapp_provider.operators.choices",
    "whatsapp_provider.operators.mapping",
    "whatsapp_provider.operators.events",
    "whatsapp_provider.operators.named_campaign",
    "whatsapp_provider.operators.named_channel",
    "whatsapp_provider.operators.running",
    "whatsapp_provider.operators.audience",
    "whatsapp_provider.operators.staleness",
    "whatsapp_provider.operators.arguments",
    "whatsapp_provider.operators.audience_arguments",
    "whatsapp_provider.operators.campaigning",
    "whatsapp_provider.operators.files",
    "whatsapp_provider.operators.forecasts",
    "whatsapp_provider.operators.jobs",
    "whatsapp_provider.operators.routes",
    "whatsapp_provider.operators.singles",
    "whatsapp_provider.operators.telling",
    "whatsapp_provider.hooks.queries",
    "whatsapp_provider.hooks.storage",
    "whatsapp_provider.operators.links",
    "whatsapp_provider.operators.preview",
    "whatsapp_provider.triggers.crowd",
    "whatsapp_provider.triggers.due",
    "whatsapp_provider.triggers.ending",
    "whatsapp_provider.triggers.pairing",
    "whatsapp_provider.hooks.channels",
    "whatsapp_provider.hooks.claims",
    "whatsapp_provider.hooks.missing",
    "whatsapp_provider.hooks.compat",
    "whatsapp_provider.hooks.edge",
    "whatsapp_provider.hooks.forms",
    "whatsapp_provider.hooks.health",
    "whatsapp_provider.hooks.provisioning",
    "whatsapp_provider.hooks.retention",
    "whatsapp_provider.hooks.sharing",
    "whatsapp_provider.hooks.upkeep",
}


def listed(kind: str) -> set[str]:
    return {module for entry in INFO[kind] for module in entry["python-modules"]}


def test_airflows_own_schema_accepts_it_and_it_is_plain_data() -> None:
    from airflow.providers_manager import _create_provider_info_schema_validator

    _create_provider_info_schema_validator().validate(INFO)
    assert json.loads(json.dumps(INFO)) == INFO


def test_the_package_name_is_the_distributions() -> None:
    pyproject = (ROOT.parent / "pyproject.toml").read_text()
    assert re.search(rf'^name = "{PACKAGE}"$', pyproject, re.MULTILINE)
    assert INFO["package-name"] == PACKAGE


@pytest.mark.parametrize("kind", KINDS)
def test_every_module_listed_exists_and_every_public_one_is_listed(kind: str) -> None:
    package = import_module(f"whatsapp_provider.{kind}")
    there = {f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)}
    assert listed(kind) == there - INNER
    for module in listed(kind):
        import_module(module)


def test_links_hooks_and_notifiers_named_by_path_can_be_imported() -> None:
    hooks = [entry["hook-class-name"] for entry in INFO["connection-types"]]
    for path in (*hooks, *INFO["extra-links"], *INFO["notifications"]):
        module, _, name = path.rpartition(".")
        assert isinstance(getattr(import_module(module), name), type), path


def test_every_gateway_has_a_connection_type_whose_hook_is_of_that_type() -> None:
    by_type = {entry["connection-type"]: entry for entry in INFO["connection-types"]}
    assert sorted(by_type) == sorted(line.connection_type for line in GATEWAYS.values())
    for kind, entry in by_type.items():
        module, _, name = entry["hook-class-name"].rpartition(".")
        hook = getattr(import_module(module), name)
        assert hook.conn_type == kind
        assert hook.hook_name == entry["hook-name"]
        assert hook.conn_name_attr == "whatsapp_conn_id"


def form_fields() -> Iterator[tuple[str, dict[str, object]]]:
    for entry in INFO["connection-types"]:
        yield from entry["conn-fields"].items()


def test_secret_form_fields_have_names_that_airflow_masks() -> None:
    from airflow.sdk._shared.secrets_masker import should_hide_value_for_key

    secret = [name for name, field in form_fields() if field["schema"].get("format") == "password"]  # type: ignore[attr-defined]
    assert secret
    assert all(should_hide_value_for_key(name) for name in secret)
    others = {name for name, _ in form_fields()} - set(secret)
    assert not [name for name in others if name.endswith(("_token", "_secret", "_key"))]


def test_every_gateways_form_has_the_fields_that_all_share() -> None:
    for entry in INFO["connection-types"]:
        assert set(SHARED_FIELDS) <= set(entry["conn-fields"])


def test_no_form_field_is_required_because_airflow_would_refuse_to_save() -> None:
    assert [name for name, field in form_fields() if "null" not in field["schema"]["type"]] == []  # type: ignore[index]


def test_every_option_that_the_code_reads_is_declared_and_no_other() -> None:
    declared = set(INFO["config"]["whatsapp"]["options"])
    read = set()
    for path in ROOT.rglob("*.py"):
        read |= set(re.findall(r'conf\.get\w*\(\s*(?:SECTION|"whatsapp"),\s*"(\w+)"', path.read_text()))
    assert read == declared


def test_airflow_itself_reads_a_declared_default() -> None:
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()
    # Empty, so that naming even the usual connection can be told from naming none.
    assert conf.get("whatsapp", "ledger_conn_id") == ""


def test_being_asked_loads_nothing_heavy() -> None:
    script = (
        "import sys; from whatsapp_provider.get_provider_info import get_provider_info; get_provider_info();"
        "print([m for m in ('airflow', 'httpx', 'sqlalchemy', 'pydantic', 'jinja2') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
