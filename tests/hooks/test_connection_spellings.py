"""However a connection is written down, the hook's gateway is set up from it in the same way, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine
from whatsapp_provider.hooks.whatsapp import WhatsAppHook

SECRET, ONE_CHANNEL = "gW3kZ0bYt7LhXq2m-Rv8P._nCs5D", "t0kEnOfOneChannel4711abcdefghijkl"
HOST, PORT = "127.0.0.1", 8443
#: A value for every field of each gateway's form.
FILLED: Mapping[str, Mapping[str, Any]] = {
    "waabot": {
        "refresh_token": "r" + ONE_CHANNEL,
        "session_secret": "s" + ONE_CHANNEL,
        "access_token": ONE_CHANNEL,
        "channel_id": "61c08cdf2ff357329471bbb1",
        "text_call": "deprecated",
        "timeout": 45,
        "notify_to": "+15550004711",
    },
    "evolution": {
        "api_version": "v2",
        "integration": "EVOLUTION",
        "instance": "front desk & co",
        "instance_token": ONE_CHANNEL,
        "timeout": 12,
        "notify_to": "+15550004711",
    },
    "whapi": {
        "manager_url": "http://127.0.0.1:8444/manager",
        "project_id": "default",
        "channel_token": ONE_CHANNEL,
        "channel_id": "DESK-47",
        "timeout": 12.5,
        "creation_limit": 7,
        "creation_window": 60,
        "notify_to": "+15550004711",
    },
    "whatscloud": {
        "tenant": "front-desk",
        "webhook_secret": ONE_CHANNEL,
        "rate_limit": 30,
        "timeout": 12.5,
        "notify_to": "+15550004711",
    },
}
#: What a gateway's connection can't be without, beside host and password.
NEEDED: Mapping[str, Mapping[str, Any]] = {"whatscloud": {"tenant": "front-desk"}}
each_gateway = pytest.mark.parametrize("line", GATEWAYS.values(), ids=lambda line: line.name)


def opened(monkeypatch: pytest.MonkeyPatch, written: Any) -> tuple[Any, str]:
    """Return what the gateway of a connection was set up with, as the hook finds it in the environment."""
    text = written if isinstance(written, str) else json.dumps(written)
    monkeypatch.setenv("AIRFLOW_CONN_SPELLED", text)
    hook = WhatsAppHook("spelled")
    return vars(hook.gateway)["_config"], hook.notify_to


def as_json(line: GatewayLine, extra: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    usual = {"host": f"http://{HOST}:{PORT}", "password": SECRET, "extra": dict(extra)}
    return {"conn_type": line.connection_type, **usual, **fields}


@each_gateway
def test_uri_and_json_forms_of_a_connection_mean_the_same(
    monkeypatch: pytest.MonkeyPatch, line: GatewayLine
) -> None:
    from airflow.models.connection import Connection

    filled = FILLED[line.name]
    assert set(filled) == set(line.form.fields), "say here how the new field is filled in"
    written = as_json(line, filled)
    config, notify_to = opened(monkeypatch, written)
    assert notify_to == filled["notify_to"]
    assert repr(config) != repr(opened(monkeypatch, as_json(line, NEEDED.get(line.name, {})))[0])
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in filled.items())
    # A URI's scheme has no underscores; Airflow makes them of hyphens.
    kind, token = line.connection_type.replace("_", "-"), quote(SECRET, safe="")
    for spelling in (
        {**written, "extra": json.dumps(filled)},
        as_json(line, filled, host=f"http://{HOST}", port=PORT),
        as_json(line, filled, host=HOST, port=PORT, schema="http"),
        f"{kind}://:{token}@{HOST}:{PORT}/http?{query}",
        f"{kind}://http://:{token}@{HOST}:{PORT}/?{query}",
        Connection(**{**written, "extra": json.dumps(filled)}).get_uri(),
    ):
        assert opened(monkeypatch, spelling) == (config, notify_to), spelling


@each_gateway
@pytest.mark.parametrize("nothing", [None, "", "  "], ids=["null", "empty", "blanks"])
def test_a_field_left_empty_is_as_if_it_was_not_there(
    monkeypatch: pytest.MonkeyPatch, line: GatewayLine, nothing: str | None
) -> None:
    needed = NEEDED.get(line.name, {})
    empty = {**dict.fromkeys(line.form.fields, nothing), **needed}
    expected = opened(monkeypatch, as_json(line, needed))
    assert opened(monkeypatch, as_json(line, empty, login=nothing, schema=nothing, port=None)) == expected


@each_gateway
def test_blanks_that_were_pasted_along_change_nothing(
    monkeypatch: pytest.MonkeyPatch, line: GatewayLine
) -> None:
    filled = FILLED[line.name]
    pasted = {name: f" {value}\n" if isinstance(value, str) else value for name, value in filled.items()}
    written = as_json(line, pasted, host=f" http://{HOST}:{PORT}/ ", password=f"\t{SECRET}\r\n")
    assert opened(monkeypatch, written) == opened(monkeypatch, as_json(line, filled))


@each_gateway
def test_a_field_of_a_wrong_type_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, line: GatewayLine
) -> None:
    for name in line.form.fields:
        for wrong in ([ONE_CHANNEL], {"a": ONE_CHANNEL}, True):
            extra = {**FILLED[line.name], name: wrong}
            with pytest.raises(
                ConfigurationError, match=f"'spelled': extra field '{name}' must be"
            ) as caught:
                opened(monkeypatch, as_json(line, extra))
            assert not any(secret in str(caught.value) for secret in (SECRET, ONE_CHANNEL))


def test_a_type_that_airflow_can_not_read_in_a_uri_is_told_with_how_to_write_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigurationError, match=r"no type.*with '-' for '_'"):
        opened(monkeypatch, f"evolution_api://:{SECRET}@{HOST}:{PORT}/http")
