"""A real API server with the plugin, an emulator, and headless Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import reporting
from tests.airflow_server import airflow_with_dags
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.emulator import EmulatorProcess
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.demo.rest import JsonClient
from whatsapp_provider.demo.settings import USERNAME
from whatsapp_provider.plugin.urls import pairing_url

CONN_ID = "wa_pairing"
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 1000
PATIENCE = 20 * SECONDS

expect.set_options(timeout=PATIENCE)


def find_chromium() -> str | None:
    """Return the machine's Chromium or Chrome, or Playwright's own where that was installed."""
    on_path = (shutil.which(name) for name in NAMES)
    in_place = (place for place in PLACES if os.access(place, os.X_OK))
    found = next(filter(None, [*on_path, *in_place]), None)
    if found is None:
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
            found = own if os.access(own, os.X_OK) else None
    return found


def needed_chromium() -> str:
    """Return where the browser is, or leave the test out."""
    path = find_chromium()
    how = "install Chromium (apt-get install chromium) or run: playwright install chromium"
    reporting.needs("Chromium", available=path is not None, how_to_get=how)
    return str(path)


@dataclass
class Site:
    """An Airflow whose connection leads to an emulator."""

    server: AirflowServer
    emulator: EmulatorProcess
    control: JsonClient = field(init=False)

    def __post_init__(self) -> None:
        self.control = JsonClient(self.emulator.addresses["url"])

    def new_channel(self, name: str, *, awake: bool = True) -> str:
        """Buy a channel and return its id; one that is asleep shows no code before the page's second look."""
        headers = {"authorization": f"Bearer {self.emulator.addresses['partner_token']}"}
        body = {"name": name, "projectId": "default"}
        channel = self.control.request("PUT", "/whapi/manager/channels", body, headers)
        if awake:
            of_channel = {"authorization": f"Bearer {channel['token']}"}
            self.control.request("GET", "/whapi/gate/health", headers=of_channel)
        return str(channel["id"])

    def command(self, path: str, **body: Any) -> Any:
        """Do something to the emulated world."""
        return self.control.request("POST", f"/_emulator{path}", body)

    def url(self, channel: str, conn_id: str = CONN_ID) -> str:
        return pairing_url(self.server.url, conn_id, channel)


# Not for the session: while Playwright is open, its thread has a running event loop, and no other test can have one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed_chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    needed_chromium()  # without it nobody looks at the server
    folder = tmp_path_factory.mktemp("site")
    server = airflow_with_dags(folder, {}, components=("api-server",))
    try:
        emulator = EmulatorProcess(server.supervisor, folder)
        emulator.start()
        emulator.configure(provisioning_seconds=0.0, init_seconds=0.0, launch_seconds=0.0)
        server.connections[CONN_ID] = connection_fields("whapi", emulator.addresses)
        with server:
            yield Site(server, emulator)
    finally:
        server.stop()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def signed_in(context: BrowserContext, site: Site) -> BrowserContext:
    """A browser with the cookie that Airflow's login gives."""
    context.add_cookies([{"name": "_token", "value": site.server.rest.token(), "url": site.server.url}])
    return context


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A signed-in page on which any error of a script or of the content policy fails the test."""
    page = signed_in.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    # Chromium reports each refused request; a number that is none is refused with 422 on purpose.
    assert [error for error in errors if "status of 422" not in error] == []


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keep a picture for people to look at."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take


def sign_in(page: Page, site: Site) -> None:
    """Fill in Airflow's login form."""
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(site.server.password)
    page.get_by_role("button", name="Sign in").click()
