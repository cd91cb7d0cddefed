"""One webhook is merged into a channel's list; what others have set stays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateways import whapi_facts as facts
from tests.gateways.conftest import Hosts
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.errors import ConfigurationError, NoAnswerError, RequestRejectedError
from whatsapp_provider.gateways.whapi.channel import WhapiChannel
from whatsapp_provider.gateways.whapi.gateway import WhapiGateway
from whatsapp_provider.model import ChannelRef, Webhook

URL = "https://hook.example/ours"
OURS = Webhook(URL, ("statuses.post", "messages.post"), {"x-secret": "hush"})
OURS_ON_THE_WIRE = {
    "url": URL,
    "mode": "body",
    "events": [{"type": "messages", "method": "post"}, {"type": "statuses", "method": "post"}],
    "headers": {"x-secret": "hush"},
}
ODD_URL = "https://hook.example/odd"
ODD: dict[str, Any] = {"url": ODD_URL, "mode": "method", "events": [{"type": "ack"}]}


class Gate(Hosts):
    """A channel with webhooks."""

    def __init__(self, *hooks: dict[str, Any]) -> None:
        super().__init__()
        self.say("GET gate /settings", {**facts.SETTINGS, "webhooks": list(hooks)})
        self.say("PATCH gate /settings", {"before_update": {}, "after_update": {}, "changes": ["webhooks"]})

    @property
    def written(self) -> list[Any]:
        return [asked.body for asked in self.asked if asked.method == "PATCH"]


async def test_the_first_webhook_is_written_as_the_vendor_recommends() -> None:
    gate = Gate()
    assert await gate.channel().set_webhook(Webhook(URL, ("users.post", "channel.post"))) is True
    # [SEED1] the recommended first PATCH
    events = [{"type": "channel", "method": "post"}, {"type": "users", "method": "post"}]
    assert gate.written == [
        {"webhooks": [{"url": URL, "mode": "body", "events": events}], "callback_persist": True}
    ]


async def test_without_events_the_webhook_gets_those_that_matter() -> None:
    gate = Gate()
    await gate.channel().set_webhook(Webhook(URL))
    [written] = gate.written
    events = [f"{event['type']}.{event['method']}" for event in written["webhooks"][0]["events"]]
    assert events == ["channel.post", "messages.post", "statuses.post", "users.delete", "users.post"]


async def test_the_webhooks_of_others_stay_as_they_are() -> None:
    gate = Gate(facts.HOOK, ODD)
    await gate.channel().set_webhook(OURS)
    assert gate.written[0]["webhooks"] == [facts.HOOK, ODD, OURS_ON_THE_WIRE]


@pytest.mark.parametrize(
    "there",
    [
        OURS_ON_THE_WIRE,
        {**OURS_ON_THE_WIRE, "events": OURS_ON_THE_WIRE["events"][::-1]},  # type: ignore[index]
        {key: value for key, value in OURS_ON_THE_WIRE.items() if key != "mode"},
        {**OURS_ON_THE_WIRE, "webhook_max_age_seconds": 60},
    ],
    ids=["the same", "another order", "the default mode", "a further setting"],
)
async def test_a_webhook_that_is_there_is_not_written_again(there: dict[str, Any]) -> None:
    gate = Gate(facts.HOOK, there)
    assert await gate.channel().set_webhook(OURS) is False
    assert gate.written == []


@pytest.mark.parametrize(
    "there",
    [
        {**OURS_ON_THE_WIRE, "events": []},
        {**OURS_ON_THE_WIRE, "mode": "path"},
        {**OURS_ON_THE_WIRE, "headers": {"x-secret": "old"}},
        {key: value for key, value in OURS_ON_THE_WIRE.items() if key != "headers"},
        {"url": URL, "events": [{"method": "post"}]},
    ],
    ids=["events", "mode", "a secret", "no secret", "an odd event"],
)
async def test_a_webhook_of_the_same_url_is_changed(there: dict[str, Any]) -> None:
    gate = Gate(there, facts.HOOK)
    assert await gate.channel().set_webhook(OURS) is True
    assert gate.written[0]["webhooks"] == [facts.HOOK, OURS_ON_THE_WIRE]


async def test_a_setting_of_it_that_is_not_ours_stays_when_it_is_changed() -> None:
    gate = Gate({**OURS_ON_THE_WIRE, "events": [], "webhook_max_age_seconds": 60})
    await gate.channel().set_webhook(OURS)
    assert gate.written[0]["webhooks"] == [{**OURS_ON_THE_WIRE, "webhook_max_age_seconds": 60}]


@pytest.mark.parametrize(("given", "kept"), [(None, {"x-secret": "hush"}), ({}, None)])
async def test_headers_stay_unless_others_or_none_are_given(given: Any, kept: Any) -> None:
    gate = Gate(OURS_ON_THE_WIRE)
    assert await gate.channel().set_webhook(Webhook(URL, ("users.post",), given)) is True
    assert gate.written[0]["webhooks"][0].get("headers") == kept


async def test_a_webhook_without_headers_given_is_not_written_again_for_those_it_has() -> None:
    gate = Gate(OURS_ON_THE_WIRE)
    assert await gate.channel().set_webhook(Webhook(URL, OURS.events)) is False
    assert gate.written == []


async def test_duplicates_of_a_url_become_one() -> None:
    gate = Gate(OURS_ON_THE_WIRE, facts.HOOK, OURS_ON_THE_WIRE)
    assert await gate.channel().set_webhook(OURS) is True
    assert gate.written[0]["webhooks"] == [facts.HOOK, OURS_ON_THE_WIRE]


async def test_removing_leaves_the_others_and_nothing_else_is_touched() -> None:
    gate = Gate(OURS_ON_THE_WIRE, facts.HOOK, OURS_ON_THE_WIRE)
    assert await gate.channel().remove_webhook(URL) is True
    assert gate.written == [{"webhooks": [facts.HOOK]}]


async def test_removing_what_is_not_there_writes_nothing() -> None:
    gate = Gate(facts.HOOK)
    assert await gate.channel().remove_webhook(URL) is False
    assert gate.written == []


async def test_the_list_shows_odd_entries_too() -> None:
    assert await Gate(facts.HOOK, ODD, {}).channel().webhooks() == [
        Webhook(facts.HOOK["url"], ("messages.put",), {}),
        Webhook(ODD_URL, ("ack.",), {}),
        Webhook("", (), {}),
    ]


@pytest.mark.parametrize("event", ["messages", "messages.", ".post", "messages.post.now", ""])
async def test_an_event_that_is_none_is_refused_with_an_example(event: str) -> None:
    gate = Gate()
    with pytest.raises(ConfigurationError, match=r"messages\.post"):
        await gate.channel().set_webhook(Webhook(URL, (event,)))
    assert gate.asked == []


async def test_more_headers_than_the_gate_sends_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at most 5 headers"):
        await Gate().channel().set_webhook(Webhook(URL, (), {f"x-{number}": "hush" for number in range(6)}))


async def test_settings_that_are_none_are_not_written_over() -> None:
    gate = Gate()
    gate.unsay("GET gate /settings")
    gate.say("GET gate /settings", ["?"])
    with pytest.raises(NoAnswerError):
        await gate.channel().set_webhook(OURS)
    assert gate.written == []


async def test_settings_that_the_gate_refuses_are_told(hosts: Hosts) -> None:
    hosts.say("PATCH gate /settings", facts.error("Wrong settings format"), status=400)
    with pytest.raises(RequestRejectedError, match="Wrong settings format"):
        await hosts.channel().update_settings({"media": []})


async def test_setting_changing_and_removing_work_against_the_emulator(
    emulator: Emulator, live: WhapiGateway
) -> None:
    paired = await emulator.paired_channel()
    channel: WhapiChannel = live.channel(ChannelRef("whapi", paired.id))
    assert await channel.set_webhook(Webhook("https://hook.example/theirs")) is True
    assert await channel.set_webhook(OURS) is True
    assert await channel.set_webhook(OURS) is False
    assert [hook.url for hook in await channel.webhooks()] == ["https://hook.example/theirs", URL]
    assert (await channel.settings())["callback_persist"] is True
    assert await channel.remove_webhook(URL) is True
    assert await channel.remove_webhook(URL) is False
    assert len(await channel.webhooks()) == 1


@pytest.mark.parametrize(
    "webhooks",
    [
        True,
        {},
        "x",
        [1],
        [{"url": []}],
        [{"events": {"type": "x"}}],
        [{"events": ["x"]}],
        [{"headers": ["x"]}],
    ],
    ids=str,
)
async def test_webhooks_that_are_none_are_no_answer_and_are_not_written_back(
    hosts: Hosts, webhooks: Any
) -> None:
    hosts.say("GET gate /settings", {**facts.SETTINGS, "webhooks": webhooks})
    for call in (hosts.channel().webhooks(), hosts.channel().set_webhook(Webhook("https://hook.example/"))):
        with pytest.raises(NoAnswerError):
            await call
