"""A person pairs a phone on the page, in a real browser, against a real API server."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import CONN_ID, Site, sign_in
from tests.versions import AIRFLOW

pytestmark = [pytest.mark.browser, pytest.mark.airflow]

Shot = Callable[[Page, str], None]
SCAN = "Scan this code with WhatsApp"


def drawn(page: Page) -> None:
    """Wait until the code is a picture of its full size."""
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.wait_for_function("document.querySelector('#qr').naturalWidth === 300")


def test_a_stranger_is_sent_to_the_login_and_comes_back_to_the_page(
    context: BrowserContext, site: Site, shot: Shot
) -> None:
    channel = site.new_channel("Reception")
    page = context.new_page()
    answer = page.goto(site.url(channel))
    assert answer is not None
    assert answer.status == 401
    shot(page, "signed-out")
    page.get_by_role("link", name="Sign in to Airflow").click()
    sign_in(page, site)
    if AIRFLOW >= (3, 2):
        page.wait_for_url(site.url(channel))
        expect(page.locator("#title")).to_have_text(SCAN)
    else:  # its login loses what follows the first &, here the channel
        page.wait_for_url(site.url(""))
        expect(page.get_by_role("link", name="Reception")).to_be_visible()


@pytest.mark.parametrize("path", ["api/pairing", "api/connections", "assets/pair.js", "pair"])
def test_without_a_login_nothing_is_given(context: BrowserContext, site: Site, path: str) -> None:
    answer = context.request.get(f"{site.server.url}/whatsapp/{path}?conn_id={CONN_ID}")
    assert answer.status == 401


def test_the_page_says_connected_by_itself_when_the_phone_has_scanned(
    page: Page, site: Site, shot: Shot
) -> None:
    channel = site.new_channel("Front desk", awake=False)
    navigations: list[str] = []
    page.on("framenavigated", lambda frame: navigations.append(frame.url))
    page.goto(site.url(channel))
    expect(page.locator("#title")).to_have_text(SCAN)
    expect(page.locator("#channel")).to_have_text(f"Front desk {channel}")
    expect(page.locator("#connection")).to_have_text(CONN_ID)
    expect(page.locator("#left")).to_have_text(re.compile(r"^\d\d s left"))
    drawn(page)
    shot(page, "qr-light")

    phone = site.command("/scan", channel_id=channel)["phone"]
    expect(page.locator("#title")).to_have_text("Connected")
    expect(page.locator("#advice")).to_have_text(f"Phone …{phone[-4:]} is linked. You can close this page.")
    expect(page.locator("#scan")).to_be_hidden()
    assert page.locator("#qr").get_attribute("src") is None
    assert phone not in page.content()
    assert navigations == [site.url(channel)]
    shot(page, "connected-light")


def test_a_code_that_expires_is_replaced(page: Page, site: Site) -> None:
    site.emulator.configure(qr_lifetime=4.0)
    try:
        page.goto(site.url(site.new_channel("Short codes")))
        drawn(page)
        first = page.locator("#qr").get_attribute("src")
        page.wait_for_function(
            "first => { const now = document.querySelector('#qr').getAttribute('src');"
            " return now && now !== first }",
            arg=first,
        )
    finally:
        site.emulator.configure(qr_lifetime=54.0)


def test_a_number_gets_a_code_instead_of_the_picture(page: Page, site: Site, shot: Shot) -> None:
    channel = site.new_channel("By number")
    page.goto(site.url(channel))
    page.get_by_text("Link with phone number instead").first.click()
    page.get_by_label("The phone's number").fill("123")
    page.get_by_role("button", name="Get a code").click()
    expect(page.locator("#refusal")).to_contain_text("country code")
    page.get_by_label("The phone's number").fill("+1 555 000 4444")
    page.get_by_role("button", name="Get a code").click()
    expect(page.locator("#code")).to_have_text(re.compile(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"))
    assert "5550004444" not in page.url
    shot(page, "number-light")

    site.command("/scan", channel_id=channel)
    expect(page.locator("#title")).to_have_text("Connected")
    expect(page.locator("#code")).to_have_text("")
    assert page.get_by_label("The phone's number").input_value() == ""


def test_troubles_are_told_with_what_to_do(page: Page, site: Site, shot: Shot) -> None:
    page.goto(site.url("", conn_id="nowhere"))
    expect(page.locator("#title")).to_have_text("There is no connection “nowhere”")
    shot(page, "unknown-connection-light")

    channel = site.new_channel("To be stopped")
    page.goto(site.url(channel))
    drawn(page)
    site.command("/channel", channel_id=channel, state="STOP")
    expect(page.locator("#title")).to_have_text("The channel is stopped")
    shot(page, "stopped-light")

    page.goto(site.url("NO-SUCH-CHANNEL"))
    expect(page.locator("#title")).to_have_text("This channel does not exist")
    expect(page.locator("#detail")).to_contain_text("NO-SUCH-CHANNEL")


def test_without_a_channel_the_account_s_are_offered(page: Page, site: Site, shot: Shot) -> None:
    channel = site.new_channel("Chosen from the list")
    page.goto(f"{site.server.url}/whatsapp/pair")
    expect(page.get_by_label("Connection of the gateway")).to_have_value(CONN_ID)
    shot(page, "open-light")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#title")).to_have_text("Which channel?")
    shot(page, "choose-light")
    page.get_by_role("link", name="Chosen from the list").click()
    expect(page.locator("#channel")).to_contain_text(channel)
    drawn(page)


def test_the_code_disappears_when_the_session_ends(signed_in: BrowserContext, site: Site) -> None:
    page = signed_in.new_page()
    page.goto(site.url(site.new_channel("Left alone")))
    drawn(page)
    signed_in.clear_cookies()
    expect(page.locator("#title")).to_have_text("Your Airflow session has ended")
    expect(page.locator("#scan")).to_be_hidden()
    assert page.locator("#qr").get_attribute("src") is None


def test_hostile_names_are_shown_as_text(page: Page, site: Site) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    page.goto(site.url(hostile, conn_id=hostile))
    expect(page.locator("#title")).to_have_text(f"There is no connection “{hostile}”")
    expect(page.locator("#connection")).to_have_text(hostile)
    expect(page.locator("img:not(#qr)")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_small_phone(browser: Browser, site: Site, shot: Shot, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
    )
    context.add_cookies([{"name": "_token", "value": site.server.rest.token(), "url": site.server.url}])
    page = context.new_page()
    long_name = f"A rather long channel name that has to break somewhere {scheme}"
    channel = site.new_channel(long_name)
    page.goto(site.url(channel))
    drawn(page)
    page.get_by_text("Link with phone number instead").first.click()
    shot(page, f"small-qr-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(17, 22, 20)") is (scheme == "dark")

    site.command("/scan", channel_id=channel)
    expect(page.locator("#title")).to_have_text("Connected")
    shot(page, f"small-connected-{scheme}")
    page.goto(site.url("NO-SUCH-CHANNEL"))
    expect(page.locator("#title")).to_have_text("This channel does not exist")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    shot(page, f"small-problem-{scheme}")
    context.close()


def test_the_page_follows_the_theme_that_was_chosen_in_airflow(page: Page, site: Site, shot: Shot) -> None:
    site.new_channel("At night")
    page.goto(site.server.url)
    page.get_by_role("button", name="User", exact=True).click()
    page.get_by_role("menuitem", name="Appearance").hover()
    page.get_by_role("menuitemradio", name="Dark Mode").click()
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    page.goto(f"{site.server.url}/plugin/whatsapp-pairing")
    frame = page.frame_locator("iframe[title='WhatsApp pairing']")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    frame.get_by_role("button", name="Open").click()
    expect(frame.locator("#title")).to_have_text("Which channel?")
    shot(page, "airflow-dark")


def test_the_page_works_from_airflows_menu(signed_in: BrowserContext, site: Site, shot: Shot) -> None:
    page = signed_in.new_page()
    channel = site.new_channel("Inside Airflow")
    page.goto(site.server.url)
    page.get_by_role("button", name="Admin", exact=True).click()
    entry = page.get_by_text("WhatsApp pairing")
    expect(entry).to_be_visible()
    shot(page, "airflow-menu")
    entry.click()
    frame = page.frame_locator("iframe[title='WhatsApp pairing']")
    frame.get_by_role("button", name="Open").click()
    frame.get_by_role("link", name="Inside Airflow").click()
    expect(frame.locator("#title")).to_have_text(SCAN)
    shot(page, "airflow-frame")
    site.command("/scan", channel_id=channel)
    expect(frame.locator("#title")).to_have_text("Connected")
