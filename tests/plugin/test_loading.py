"""The plugin costs other processes nothing, and a page that can't be loaded stays closed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from whatsapp_provider.plugin import WhatsAppPlugin
from whatsapp_provider.plugin.lazy import LazyApp
from whatsapp_provider.plugin.urls import pairing_url

LOADED = """
import json, sys
import whatsapp_provider
from airflow.providers.common.compat.sdk import AirflowPlugin  # Airflow has it loaded in any case
before = set(sys.modules)
import whatsapp_provider.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_importing_the_plugin_loads_three_small_modules_and_nothing_else() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "whatsapp_provider.plugin",
        "whatsapp_provider.plugin.lazy",
        "whatsapp_provider.plugin.urls",
    ]


def test_airflow_finds_the_plugin_by_its_entry_point(airflow_app: FastAPI) -> None:
    mounted = {route.path: route.app for route in airflow_app.routes if isinstance(route, Mount)}
    assert isinstance(mounted["/whatsapp"], LazyApp)


def test_menu_addresses_are_relative_so_that_they_follow_the_base_url() -> None:
    (view,) = WhatsAppPlugin.external_views
    assert view["destination"] == "nav"
    for name in ("href", "icon", "icon_dark_mode"):
        assert view[name].startswith("whatsapp/")


async def get(app: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as http:
        return await http.get("/pair")


async def test_a_module_that_fails_to_load_closes_the_door_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def failing(name: str) -> Any:
        tried.append(name)
        raise ImportError("Airflow has moved its user dependency")

    monkeypatch.setattr("whatsapp_provider.plugin.lazy.import_module", failing)
    app = LazyApp("whatsapp_provider.plugin.app", "app")
    for _ in range(3):
        answer = await get(app)
        assert answer.status_code == 503
        assert "moved" not in answer.text
    assert tried == ["whatsapp_provider.plugin.app"]


@pytest.mark.parametrize("gone", ["airflow.api_fastapi.core_api.security", "airflow.api_fastapi.app"])
async def test_without_airflows_check_of_users_the_page_is_closed(
    monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("whatsapp_provider.plugin.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, gone, None)
    app = importlib.import_module("whatsapp_provider.plugin.lazy").LazyApp(
        "whatsapp_provider.plugin.app", "app"
    )
    assert (await get(app)).status_code == 503


async def test_a_websocket_is_turned_away() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    await LazyApp("no.such.module", "app")({"type": "websocket"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize(
    ("base", "conn_id", "channel", "expected"),
    [
        (
            "http://a:8080",
            "wa",
            "SHAZAM-3HDYQ",
            "http://a:8080/whatsapp/pair?conn_id=wa&channel=SHAZAM-3HDYQ",
        ),
        ("https://a/airflow/", "wa", "", "https://a/airflow/whatsapp/pair?conn_id=wa"),
        ("http://a", "w a&b", "ü/?#", "http://a/whatsapp/pair?conn_id=w+a%26b&channel=%C3%BC%2F%3F%23"),
    ],
)
def test_links_are_encoded(base: str, conn_id: str, channel: str, expected: str) -> None:
    assert pairing_url(base, conn_id, channel) == expected
