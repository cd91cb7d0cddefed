"""Who is to be told of a QR code is told once of each, and whatever they do, the wait goes on."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.triggers.base import TaskSuccessEvent

from tests.hooks.world import CONN_ID, World
from tests.triggers.firing import first_event
from tests.triggers.pairing_notifiers import TOLD
from whatsapp_provider.errors import NotificationError, RateLimitedError, UnsupportedError
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.model import ChannelRef, ChannelState, ChannelStatus, Pairing, PairingKind
from whatsapp_provider.triggers import pairing as pairing_module
from whatsapp_provider.triggers.channel import WhatsAppChannelTrigger
from whatsapp_provider.triggers.pairing import PairingNotice, PairingSchedule

HERE = "tests.triggers.pairing_notifiers"
WAITING = ChannelStatus(ChannelState.WAITING_FOR_PAIRING)
LOGIN = "GET /whapi/gate/users/login"


@pytest.fixture(autouse=True)
def nobody_told_yet() -> Iterator[None]:
    TOLD.clear()
    yield
    TOLD.clear()


def told_to(name: str, **kwargs: Any) -> dict[str, Any]:
    path = name if "." in name else f"{HERE}.{name}"
    return {"path": path, "kwargs": kwargs, "interval": 0.0, "ask_at": 0.0}


def qr(image: bytes = b"one", **fields: Any) -> Pairing:
    return Pairing(PairingKind.QR, **{"image": image, "expires_in": 20.0, **fields})


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str, *args: Any) -> None:
        self.lines.append(line % args)

    warning = info


# -- when to ask, and what is news -----------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in ChannelState if state is not WAITING.state])
def test_nothing_is_asked_of_a_channel_that_does_not_wait_for_its_phone(state: ChannelState) -> None:
    assert not PairingSchedule().is_due(state, 0.0)
    assert PairingSchedule().is_due(WAITING.state, 0.0)


def test_a_code_is_told_once_and_not_asked_for_again_while_it_lives() -> None:
    schedule = PairingSchedule()
    assert schedule.is_news(qr(), 100.0)
    assert not schedule.is_due(WAITING.state, 119.9)
    assert schedule.is_due(WAITING.state, 120.0)
    assert not schedule.is_news(qr(expires_in=5.0), 120.0)
    assert schedule.is_news(qr(b"two"), 125.0)
    assert "one" not in repr(schedule)


@pytest.mark.parametrize(
    ("expires_in", "seconds"), [(None, 20.0), (0.0, 5.0), (-3.0, 5.0), (7200.0, 60.0)], ids=str
)
def test_what_a_gateway_says_of_a_codes_life_is_believed_within_reason(
    expires_in: float | None, seconds: float
) -> None:
    schedule = PairingSchedule()
    schedule.is_news(qr(expires_in=expires_in), 100.0)
    assert schedule.ask_at == 100.0 + seconds


def test_a_code_that_is_not_ready_is_asked_for_again_soon() -> None:
    schedule = PairingSchedule()
    assert not schedule.is_news(None, 100.0)
    assert schedule.ask_at == 105.0


def test_the_same_code_drawn_anew_is_no_news_also_not_in_the_process_that_goes_on() -> None:
    schedule = PairingSchedule()
    assert schedule.is_news(qr(b"small", raw="2@x"), 0.0)
    assert not schedule.is_news(qr(b"large", raw="2@x"), 0.0)
    going_on = PairingSchedule(told=schedule.told)
    assert not going_on.is_news(qr(b"large", raw="2@x"), 0.0)
    assert going_on.is_news(qr(b"large", raw="2@y"), 0.0)


def test_an_interval_keeps_calls_apart_and_a_known_code_does_not_lengthen_it() -> None:
    schedule = PairingSchedule(interval=300.0)
    schedule.is_news(qr(), 100.0)
    assert not schedule.is_due(WAITING.state, 399.0)
    schedule.is_news(qr(), 400.0)
    assert schedule.ask_at == 420.0


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RuntimeError("x"), 20.0),
        (RateLimitedError("x", retry_after=90.0), 90.0),
        (UnsupportedError("x"), 3600.0),
    ],
    ids=["any", "told to wait", "no such ability"],
)
def test_after_a_failure_everybody_is_left_in_peace(error: Exception, seconds: float) -> None:
    schedule = PairingSchedule()
    schedule.after_error(error, 100.0)
    assert schedule.ask_at == 100.0 + seconds


def test_a_notifier_that_failed_for_some_is_not_called_before_the_interval_is_over() -> None:
    schedule = PairingSchedule(interval=300.0)
    assert schedule.is_news(qr(b"one"), 100.0)
    schedule.after_error(NotificationError("1 of 2 messages was not accepted"), 101.0)
    assert schedule.ask_at == 400.0


# -- telling ---------------------------------------------------------------------------------------


def unpaired(world: World) -> None:
    world.control("POST", "/unlink", {"channel_id": world.channel_id})
    deadline = time.monotonic() + 30
    while WhatsAppHook(CONN_ID).channel_status().state is not WAITING.state:
        assert time.monotonic() < deadline


async def look(world: World, notice: PairingNotice, **fields: Any) -> None:
    gateway = await WhatsAppHook(CONN_ID).open()
    await notice.after_look(gateway, ChannelRef.from_dict(world.ref), WAITING, **fields)


async def test_the_notifier_gets_the_picture_its_life_and_where_to_pair(world: World) -> None:
    await asyncio.to_thread(unpaired, world)
    world.monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    log = Lines()
    notice = PairingNotice.from_dict(told_to("remember", team="desk"), CONN_ID, log)
    await look(world, notice)
    await look(world, notice)
    [told] = TOLD
    assert (told["kind"], told["team"], told["channel"]) == ("qr", "desk", world.ref)
    assert told["image"].startswith(b"\x89PNG")
    assert 0 < told["expires_in"] <= 60
    assert told["page_url"].startswith("https://airflow.example/whatsapp/pair?")
    assert await asyncio.to_thread(world.asked, LOGIN) == 1
    assert log.lines == [f"Told {HERE}.remember of a new qr."]


@pytest.mark.parametrize("name", ["fail", "hang", "no_such", "nowhere.at_all", "nothing"])
async def test_a_notifier_that_fails_or_hangs_is_logged_without_the_code(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(unpaired, world)
    monkeypatch.setattr(pairing_module, "MOST_SECONDS", 1.0)
    log = Lines()
    notice = PairingNotice.from_dict(told_to(name), CONN_ID, log)
    await look(world, notice)
    await look(world, notice)
    [line] = log.lines
    assert line.startswith("Nobody was told of the pairing; the wait goes on: ")
    assert "PNG" not in line
    assert base64.b64encode(b"\x89PNG").decode()[:5] not in line
    assert len(TOLD) == (1 if name in {"fail", "hang"} else 0)


async def test_no_notifier_outlasts_the_wait(world: World) -> None:
    await asyncio.to_thread(unpaired, world)
    log = Lines()
    notice = PairingNotice.from_dict(told_to("hang"), CONN_ID, log)
    async with asyncio.timeout(20):
        await look(world, notice, within=1.0)
    assert len(TOLD) == 1
    await look(world, PairingNotice.from_dict(told_to("remember"), CONN_ID, log), within=0.0)
    assert len(TOLD) == 1


async def test_a_gateway_without_qr_codes_is_said_to_have_none_and_not_asked(world: World) -> None:
    asked: list[object] = []
    gateway = SimpleNamespace(
        name="plain",
        capabilities=(await WhatsAppHook(CONN_ID).open()).capabilities.__class__(frozenset()),
        channel=asked.append,
    )
    log = Lines()
    notice = PairingNotice.from_dict(told_to("remember"), CONN_ID, log)
    await notice.after_look(gateway, ChannelRef.from_dict(world.ref), WAITING)
    [line] = log.lines
    assert "'plain' can't show a QR code" in line
    assert asked == []


# -- while a trigger waits -------------------------------------------------------------------------


def trigger(world: World, name: str, **fields: Any) -> WhatsAppChannelTrigger:
    values: dict[str, Any] = {
        "whatsapp_conn_id": CONN_ID,
        "channel": world.ref,
        "goal": "connected",
        "deadline": time.time() + 60,
        "poke_interval": 0.05,
        "on_pairing": {**told_to(name), **fields.pop("pairing", {})},
    }
    return WhatsAppChannelTrigger(**{**values, **fields})


async def until_told(count: int) -> None:
    async with asyncio.timeout(30):
        while len(TOLD) < count:  # noqa: ASYNC110 - what is waited for is a list
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", ["remember", "fail"])
async def test_a_trigger_tells_of_the_code_and_still_sees_the_phone(
    world: World, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(unpaired, world)
    waiting = asyncio.create_task(first_event(trigger(world, name)))
    await until_told(1)
    await asyncio.to_thread(world.scan)
    assert isinstance(await waiting, TaskSuccessEvent)
    [told] = TOLD
    assert told["image"].startswith(b"\x89PNG")
    assert await asyncio.to_thread(world.asked, LOGIN) == 1
    shown = capsys.readouterr().out
    assert "PNG" not in shown
    assert ("the wait goes on: RuntimeError" in shown) is (name == "fail")


async def test_what_was_told_before_the_deferral_is_not_asked_for_again_while_it_lives(world: World) -> None:
    await asyncio.to_thread(unpaired, world)
    ahead = trigger(world, "remember", deadline=time.time() + 1, pairing={"ask_at": time.time() + 60})
    assert (await first_event(ahead)).payload["status"] == "timed_out"
    assert TOLD == []


async def test_the_end_of_the_wait_ends_a_notifier_that_hangs(world: World) -> None:
    await asyncio.to_thread(unpaired, world)
    event = await first_event(trigger(world, "hang", deadline=time.time() + 3))
    assert event.payload["status"] == "timed_out"
    assert len(TOLD) == 1


def test_what_airflow_stores_of_it_is_a_path_arguments_and_times(world: World) -> None:
    stored = json.loads(json.dumps(trigger(world, "remember").serialize()))[1]["on_pairing"]
    assert stored == {"path": f"{HERE}.remember", "kwargs": {}, "interval": 0.0, "ask_at": 0.0}
