"""What may not be kept or told: tokens, codes, numbers; and what the browser is told to guard."""

from __future__ import annotations

import io
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.plugin.conftest import CONN_ID, Visitor
from tests.versions import AIRFLOW
from whatsapp_provider.emulator.server import EmulatorServer
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

PHONE = "15550001000"
PAGES = ["/pair", "/assets/pair.css", "/assets/pair.js", "/api/pairing", "/api/connections", "/nothing"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", [None, "viewer", "admin"])
async def test_every_answer_forbids_copies_and_foreign_code(
    visitor: Callable[[str | None], Visitor], path: str, role: str | None
) -> None:
    answer = await visitor(role).http.get(f"/whatsapp{path}")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_loads_its_own_files_and_nothing_inline(admin: Visitor) -> None:
    page = (await admin.http.get(f"/whatsapp/pair?conn_id={CONN_ID}")).text
    assert "http://" not in page
    assert "https://" not in page
    assert "style=" not in page
    assert "onclick" not in page
    for file in ("assets/pair.js", "assets/pair.css", "assets/icon.svg"):
        assert f'"{file}"' in page
        answer = await admin.http.get(f"/whatsapp/{file}")
        assert answer.status_code == 200
        assert answer.content


@pytest.mark.parametrize("name", ["pair.html", "..%2fapp.py", "__init__.py", "%2e%2e/app.py", "nothing.css"])
async def test_only_named_files_are_given_out(admin: Visitor, name: str) -> None:
    assert (await admin.http.get(f"/whatsapp/assets/{name}")).status_code == 404


async def test_neither_logs_nor_pages_hold_a_secret(
    gateway: EmulatorServer,
    channel: WhapiChannel,
    reach: Callable[..., Awaitable[dict[str, Any]]],
    admin: Visitor,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    root = logging.getLogger()
    root.addHandler(handler)
    caplog.set_level(logging.DEBUG)
    try:
        shown = await reach("waiting_for_pairing")
        code = (await admin.ask_code(PHONE)).json()["code"]
        gateway.emulator.network.link(channel.id, PHONE)
        last = await reach("connected")
        page = (await admin.http.get(f"/whatsapp/pair?conn_id={CONN_ID}")).text
        await admin.look(conn_id="nowhere")
    finally:
        root.removeHandler(handler)

    written = capfd.readouterr()
    everything = "\n".join([logged.getvalue(), caplog.text, written.out, written.err])
    if AIRFLOW >= (3, 2):  # the access log of older ones is written by the server, which isn't there
        assert "/whatsapp/api/pairing" in everything, "the access log was looked at"
    picture = shown["qr"].removeprefix("data:image/png;base64,")[:60]
    secrets = [channel.token, gateway.emulator.partner_token, picture, code, PHONE]
    for secret in secrets:
        assert secret not in everything
        assert secret not in page
    for secret in (channel.token, gateway.emulator.partner_token, PHONE):
        assert secret not in str(shown)
        assert secret not in str(last)


async def test_a_failure_nobody_foresaw_is_logged_by_its_kind_alone(
    channel: WhapiChannel, admin: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from whatsapp_provider.plugin import desk

    def broken(conn_id: str) -> Any:
        raise RuntimeError(f"no such thing as {PHONE}")

    monkeypatch.setattr(desk, "open_gateway", broken)
    view = await admin.look()
    assert view["title"] == "Something went wrong here"
    assert PHONE not in str(view)
    assert "RuntimeError" in caplog.text
    assert PHONE not in caplog.text
