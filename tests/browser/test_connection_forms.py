"""A person adds a connection in Airflow's own pages, tests it, mends it, and it is stored as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Site, sign_in
from tests.browser.forms import FORMS, KEPT, WRONG
from tests.versions import AIRFLOW
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine

pytestmark = [pytest.mark.browser, pytest.mark.airflow]

Shot = Callable[[Page, str], None]
OWN_LABELS = {"host": "Host", "login": "Login", "password": "Password", "port": "Port", "schema": "Schema"}
#: A quarter of a minute each: one by ``make test``, the others by ``make kill``.
one_gateway_first = pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, id=line.name, marks=[pytest.mark.again] if number else [])
        for number, line in enumerate(GATEWAYS.values())
    ],
)


def add_connection(page: Page, conn_id: str, connection_type: str) -> Locator:
    """Open the form for a new connection of a type, on the page of connections."""
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill(conn_id)
    form.get_by_role("combobox", name="Connection Type").fill("WhatsApp")
    page.get_by_role("option", name=connection_type, exact=True).click()
    expect(form.get_by_role("button", name="Standard Fields")).to_be_visible()
    return form


def further_field(form: Locator, label: str) -> Locator:
    """Return the row of one of the gateway's own fields; Airflow ties no label to a text field."""
    return form.get_by_role("group").filter(has=form.page.get_by_text(label, exact=True))


def section(field: Mapping[str, Any]) -> str:
    """Return the heading under which a field stands; Airflow 3.1 has one for all."""
    return str(field["schema"]["section"]) if AIRFLOW >= (3, 2) else "Extra Fields"


def section_of(line: GatewayLine, label: str) -> str:
    return next(section(field) for field in line.form.fields.values() if field["label"] == label)


def press_test(page: Page, conn_id: str, title: str) -> Locator:
    """Press the button of the connection's row and return what Airflow shows under a title."""
    row = page.get_by_role("row").filter(has_text=conn_id)
    row.get_by_role("button", name="Test Connection").click()
    told = page.get_by_role("status").filter(has_text=title)
    expect(told).to_be_visible()
    return told


@pytest.fixture
def conn_id(site: Site, line: GatewayLine) -> Iterator[str]:
    """A connection's id that is free, and free again afterwards: other tests expect one connection."""
    conn_id = f"from_form_{line.name}"
    yield conn_id
    site.server.rest.call("DELETE", f"/connections/{conn_id}")


def test_every_gateway_says_how_its_form_is_filled_in() -> None:
    assert set(FORMS) == set(GATEWAYS)


def test_each_form_shows_its_fields_by_section_with_what_they_are_for(
    page: Page, site: Site, shot: Shot
) -> None:
    page.goto(f"{site.server.url}/connections")
    for line in GATEWAYS.values():  # on one page, for Airflow's take seconds to load
        form = add_connection(page, "only_looked_at", line.form.label)
        check_form(page, form, shot, line)
        form.get_by_role("button", name="Close").click()
        expect(form).to_be_hidden()


def check_form(page: Page, form: Locator, shot: Shot, line: GatewayLine) -> None:
    shown = {**OWN_LABELS, **line.form.relabeling}
    for name, label in shown.items():
        expect(form.get_by_text(label, exact=True)).to_have_count(0 if name in line.form.hidden else 1)
    shot(page, f"form-{line.name}")
    sections = dict.fromkeys(map(section, line.form.fields.values()))
    buttons = form.locator("button[aria-controls]").filter(visible=True).all_inner_texts()
    assert buttons == ["Standard Fields", *sections, "Extra Fields JSON"]
    for heading in sections:
        form.get_by_role("button", name=heading, exact=True).click()
        for field in line.form.fields.values():
            if section(field) == heading:
                row = further_field(form, str(field["label"]))
                expect(row).to_be_visible()
                expect(row.get_by_text(str(field["description"]), exact=True)).to_be_visible()
                # Airflow 3.1 is told that it is a password, and shows what is typed all the same.
                if field["schema"].get("format") == "password" and AIRFLOW >= (3, 2):
                    expect(row.locator("input")).to_have_attribute("type", "password")
        shot(page, f"form-{line.name}-{heading.lower().replace(' ', '-')}")


@one_gateway_first
def test_a_connection_is_added_tested_mended_and_stored(
    context: BrowserContext, site: Site, shot: Shot, line: GatewayLine, conn_id: str
) -> None:
    filled, addresses = FORMS[line.name], site.emulator.addresses
    label, right = filled.secret[0], str(addresses[filled.secret[1]])
    page = context.new_page()
    page.goto(site.server.url)
    sign_in(page, site)
    page.get_by_role("button", name="Admin", exact=True).click()
    page.get_by_role("menuitem", name="Connections").click()

    form = add_connection(page, conn_id, line.form.label)
    for name, value in filled.standard.items():
        form.get_by_label(name, exact=True).fill(value.format(**addresses))
    form.get_by_label(label, exact=True).fill(WRONG)
    for name, value in filled.further.items():
        if not further_field(form, name).is_visible():
            form.get_by_role("button", name=section_of(line, name), exact=True).click()
        further_field(form, name).locator("input").fill(value.format(**addresses))
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()

    told = press_test(page, conn_id, "Test Connection Failed")
    for words in filled.bad:
        expect(told).to_contain_text(words)
    shot(page, f"test-failed-{line.name}")
    assert WRONG not in page.content()

    page.get_by_role("row").filter(has_text=conn_id).get_by_role("button", name="Edit Connection").click()
    form.get_by_label(label, exact=True).fill(right)
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    told = press_test(page, conn_id, "Test Connection Successful")
    expect(told).to_contain_text(filled.good.format(**addresses))
    shot(page, f"test-passed-{line.name}")
    assert right not in page.content()

    stored = site.server.rest.call("GET", f"/connections/{conn_id}")
    assert (stored["conn_type"], stored["password"]) == (line.connection_type, "***")
    assert (stored["login"], stored["schema"]) == (None, None)
    extra = json.loads(stored["extra"])
    assert {name for name, value in extra.items() if value is None} == set(extra) - set(filled.stored)
    expected = with_addresses(filled.stored, addresses)
    # Airflow 3.1 stores a number as it was typed; it is read either way.
    assert {name: type(value)(extra[name]) for name, value in expected.items()} == expected
    if AIRFLOW >= (3, 2):
        assert {name: extra[name] for name in expected} == expected
    assert set(extra) == set(line.form.fields)
    assert not any(secret in json.dumps(stored) for secret in (WRONG, KEPT, right))


def with_addresses(stored: Any, addresses: Any) -> dict[str, Any]:
    return {
        name: value.format(**addresses) if isinstance(value, str) else value for name, value in stored.items()
    }
