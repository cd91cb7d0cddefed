"""The table of gateways, and what a connection's fields become."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from whatsapp_provider.errors import ConfigurationError, UnsupportedError
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine, by_connection_type

SECRET = "gW3kZ0bYt7LhXq2mRv8PnCs5DfJa1UeT"
each_line = pytest.mark.parametrize("line", GATEWAYS.values(), ids=lambda line: line.name)


def test_the_table_is_sorted_by_name_and_names_no_connection_type_twice() -> None:
    assert list(GATEWAYS) == sorted(GATEWAYS)
    assert len({line.connection_type for line in GATEWAYS.values()}) == len(GATEWAYS)
    assert all(name == line.name for name, line in GATEWAYS.items())


@each_line
def test_a_line_is_found_by_its_connection_type(line: GatewayLine) -> None:
    assert by_connection_type(line.connection_type) is line
    assert line.form.connection_type == line.connection_type


def test_an_unknown_connection_type_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="'http' is not a WhatsApp gateway") as caught:
        by_connection_type("http")
    assert all(line.connection_type in str(caught.value) for line in GATEWAYS.values())


@each_line
def test_the_form_names_a_hook_of_its_connection_type(line: GatewayLine) -> None:
    module, _, name = line.form.hook_class.rpartition(".")
    assert getattr(import_module(module), name).conn_type == line.connection_type


@each_line
def test_the_form_is_plain_data_that_airflow_can_store(line: GatewayLine) -> None:
    form = line.form
    assert json.loads(json.dumps([form.behaviour(), dict(form.fields)]))
    assert set(form.behaviour()) == {"hidden-fields", "relabeling", "placeholders"}
    assert not set(form.hidden) & set(form.relabeling)
    for name, field in form.fields.items():
        assert {"label", "description", "schema"} <= set(field), name


@each_line
def test_what_is_secret_in_the_form_has_a_name_that_airflow_masks(line: GatewayLine) -> None:
    for name, field in line.form.fields.items():
        secret = field["schema"].get("format") == "password"
        assert secret == name.endswith(("_token", "_secret")), name


@each_line
def test_a_connection_without_any_token_is_refused_with_what_to_fill_in(line: GatewayLine) -> None:
    with pytest.raises(ConfigurationError, match="'my_conn'"):
        line.open(ConnectionValues("my_conn"))


@each_line
def test_each_capability_has_words_for_the_feature_matrix_and_is_refused_by_them(line: GatewayLine) -> None:
    none = Capabilities(message_kinds=frozenset({"text"}))
    for flag in ("create_channels", "webhooks", "history", "check_numbers", "message_status", "logout"):
        with pytest.raises(UnsupportedError, match=f"can't {Capabilities.label(flag)}"):
            none.require(line.name, flag)
    with pytest.raises(UnsupportedError, match="'sticker'; it sends text"):
        none.require_kind(line.name, "sticker")
    for kind in line.capabilities.message_kinds:
        line.capabilities.require_kind(line.name, kind)


def values(**fields: Any) -> ConnectionValues:
    return ConnectionValues("my_conn", **fields)


def test_neither_password_nor_extra_is_in_a_repr() -> None:
    assert SECRET not in repr(values(password=SECRET, extra={"channel_token": SECRET}))


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        # the form, and a connection written as JSON: the whole URL is in the host
        ({"host": "https://gate.example"}, "https://gate.example"),
        ({"host": " https://gate.example/ "}, "https://gate.example"),
        ({"host": "http://127.0.0.1:8080/whapi/gate"}, "http://127.0.0.1:8080/whapi/gate"),
        ({"host": "gate.example"}, "https://gate.example"),
        ({"host": "gate.example", "port": 8443}, "https://gate.example:8443"),
        ({"host": "gate.example:8443"}, "https://gate.example:8443"),
        ({"host": "gate.example:8443", "port": 8443}, "https://gate.example:8443"),
        # what Airflow makes of a URI: type://:token@host:port/http, type://http://:token@host:port/path
        ({"host": "127.0.0.1", "port": 8080, "schema": "http"}, "http://127.0.0.1:8080"),
        ({"host": "http://127.0.0.1", "port": 8080, "schema": ""}, "http://127.0.0.1:8080"),
        (
            {"host": "http://127.0.0.1", "port": 8080, "schema": "whapi/gate"},
            "http://127.0.0.1:8080/whapi/gate",
        ),
        ({"host": "gate.example", "schema": "api"}, "https://gate.example/api"),
        ({}, "https://default.example"),
        ({"host": "  "}, "https://default.example"),
    ],
)
def test_a_connections_fields_become_one_url(fields: dict[str, Any], url: str) -> None:
    assert values(**fields).base_url("https://default.example") == url


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "d"), ("", "d"), (" x ", "x"), ("x", "x")],
    ids=["none", "empty", "padded", "plain"],
)
def test_an_extra_field_is_read_as_text(value: Any, text: str) -> None:
    assert values(extra={"project_id": value}).text("project_id", "d") == text


@pytest.mark.parametrize("value", [1, True, ["x"], {"x": SECRET}])
def test_an_extra_field_that_is_no_text_is_refused_without_its_value(value: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="'my_conn': extra field 'project_id' must be text"
    ) as caught:
        values(extra={"project_id": value}).text("project_id")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("value", "number"), [(None, 9), ("", 9), ("2.5", 2.5), (3, 3), ("1", 1)])
def test_an_extra_field_is_read_as_a_number_however_it_is_written(value: Any, number: float) -> None:
    assert values(extra={"timeout": value}).number("timeout", 9, minimum=1) == number


@pytest.mark.parametrize("value", ["soon", "0", 0, -1, "nan", "inf", 1e999, True, [1], {"a": 1}])
def test_what_is_no_usable_number_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="'my_conn': extra field 'timeout' must be"):
        values(extra={"timeout": value}).number("timeout", 9, minimum=1)


@pytest.mark.parametrize("token", [SECRET, f" {SECRET}\n", "eyJhbGci.abc-_.def", ""])
def test_blanks_around_a_token_are_left_out(token: str) -> None:
    assert values().token(token, "Password") == token.strip()


@pytest.mark.parametrize(
    "token",
    [f"Bearer {SECRET}", f"{SECRET}…", f"{SECRET[:9]}\n{SECRET[9:]}", f"\u200b{SECRET}", f"{SECRET}\x00"],
)
def test_what_can_be_no_token_is_refused_at_once_and_not_repeated(token: str) -> None:
    with pytest.raises(ConfigurationError, match="'my_conn': the Password has blanks") as caught:
        values().token(token, "Password")
    assert SECRET[:9] not in str(caught.value)
