"""Airflow's form for a new connection shows what the gateway's form says, whichever way Airflow reads it.

Airflow 3.1 calls the hook's class for it, with classes of its own in the place of wtforms; later ones read the
provider's metadata. What is looked at is what the browser gets.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.versions import AIRFLOW
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine
from whatsapp_provider.hooks.whatsapp import WhatsAppHook

READS_METADATA = AIRFLOW >= (3, 2)
STANDARD = {"description", "schema", "host", "port", "login", "password"}
each_gateway = pytest.mark.parametrize("line", GATEWAYS.values(), ids=lambda line: line.name)


@pytest.fixture(scope="module")
def forms(airflow_app: FastAPI) -> dict[str, dict[str, Any]]:
    """What Airflow's page for a new connection is made of, by connection type."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="op", role="OP"))
    with TestClient(airflow_app, headers={"authorization": f"Bearer {token}"}) as browser:
        answer = browser.get("/ui/connections/hook_meta")
    assert answer.status_code == 200, answer.text
    return {form["connection_type"]: form for form in answer.json()}


@each_gateway
def test_the_form_is_named_after_its_gateway(forms: dict[str, Any], line: GatewayLine) -> None:
    assert forms[line.connection_type]["hook_name"] == line.form.label
    assert forms[line.connection_type]["hook_class_name"] == line.form.hook_class


@each_gateway
def test_standard_fields_are_relabeled_hidden_and_hinted_at(forms: dict[str, Any], line: GatewayLine) -> None:
    shown = {
        # Airflow has renamed this one of the standard fields on the way to its page.
        "schema" if name == "url_schema" else name: field
        for name, field in forms[line.connection_type]["standard_fields"].items()
        if field is not None
    }
    form = line.form
    assert {name for name, field in shown.items() if field["hidden"]} == STANDARD & set(form.hidden)
    assert {name: field["title"] for name, field in shown.items() if field["title"]} == form.relabeling
    hints = {name: field["placeholder"] for name, field in shown.items() if field["placeholder"]}
    assert hints == {name: text for name, text in form.placeholders.items() if name in STANDARD}


@each_gateway
def test_further_fields_have_label_description_and_kind(forms: dict[str, Any], line: GatewayLine) -> None:
    shown = forms[line.connection_type]["extra_fields"]
    assert set(shown) == set(line.form.fields)
    for name, field in line.form.fields.items():
        schema = field["schema"]
        assert shown[name]["schema"]["title"] == field["label"]
        assert shown[name]["description"] == field.get("description")
        assert shown[name]["value"] == schema.get("default")
        for detail in ("format", "enum"):
            assert shown[name]["schema"].get(detail) == schema.get(detail)
        kinds = shown[name]["schema"]["type"]
        # There was no field for numbers with a fraction before the metadata were read.
        assert kinds == schema["type"] or (not READS_METADATA and {*schema["type"]} == {"number", "null"})


@each_gateway
def test_a_secret_is_typed_in_unseen(forms: dict[str, Any], line: GatewayLine) -> None:
    shown = forms[line.connection_type]["extra_fields"]
    unseen = {name for name, field in shown.items() if field["schema"].get("format") == "password"}
    assert unseen == {name for name in shown if name.endswith(("_token", "_secret", "_key"))}


def test_a_class_that_derives_from_the_hook_has_the_methods_itself() -> None:
    """Airflow 3.1 passes over a class that only inherits them."""

    class Derived(WhatsAppHook):
        conn_type = next(iter(GATEWAYS.values())).connection_type

    assert {"get_connection_form_widgets", "get_ui_field_behaviour"} <= set(vars(Derived))
    assert set(Derived.get_ui_field_behaviour()) == {"hidden_fields", "relabeling", "placeholders"}


SCRIPT = """
import json, sys, warnings
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    shown = {form.connection_type for form in HookMetaService.hook_meta_data()}
print(json.dumps({
    "shown": sorted(shown),
    "hooks": sorted(name for name in sys.modules if name.startswith("whatsapp_provider.hooks")),
    "told": [str(one.message) for one in told if "whatsapp" in str(one.message)],
}))
"""


def test_no_hook_is_imported_for_the_form_and_nothing_is_deprecated() -> None:
    """Before 3.3 Airflow imports them all the same; nothing is deprecated there either."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {line.connection_type for line in GATEWAYS.values()} <= set(seen["shown"])
    assert seen["told"] == []
    assert bool(seen["hooks"]) is (AIRFLOW < (3, 3))
