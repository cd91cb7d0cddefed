"""What a channel remembers, which numbers exist, and the trial's limits."""

from __future__ import annotations

from tests.emulator import wire_facts as facts
from tests.emulator.conftest import Wire
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"


async def test_history_is_newest_first_and_can_be_narrowed(wire: Wire, channel: WhapiChannel) -> None:
    for number in range(3):
        await wire.text(channel, TO, f"number {number}")
        await wire.emulator.advance(10)
    await wire.text(channel, "15550009999", "elsewhere")
    path = f"/messages/list/{TO}@s.whatsapp.net"
    page = (await wire.gate(channel.token, "GET", f"{path}?count=2&from_me=true")).json()
    assert list(page) == ["messages", "count", "total", "offset", "first", "last"]
    assert [message["text"]["body"] for message in page["messages"]] == ["number 2", "number 1"]
    assert (page["count"], page["total"], page["offset"]) == (2, 3, 0)
    oldest = (await wire.gate(channel.token, "GET", f"{path}?sort=asc&count=1")).json()
    assert oldest["messages"][0]["text"]["body"] == "number 0"
    since = oldest["messages"][0]["timestamp"] + 1
    later = (await wire.gate(channel.token, "GET", f"{path}?time_from={since}")).json()
    assert later["total"] == 2
    assert (await wire.gate(channel.token, "GET", "/messages/list")).json()["total"] == 4
    unknown = await wire.gate(channel.token, "GET", "/messages/list/15550000000@s.whatsapp.net")
    assert unknown.status_code == 404
    assert unknown.json()["error"]["message"] == "Specified chat not found"


async def test_history_may_show_a_message_only_a_while_after_it_was_sent(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.configure(history_lag=5)
    sent = (await wire.text(channel, TO)).json()["message"]
    path = f"/messages/list/{TO}@s.whatsapp.net"
    assert (await wire.gate(channel.token, "GET", path)).json()["messages"] == []
    assert (await wire.gate(channel.token, "GET", f"/messages/{sent['id']}")).json()["id"] == sent["id"]
    await wire.emulator.advance(5)
    (shown,) = (await wire.gate(channel.token, "GET", path)).json()["messages"]
    assert shown["id"] == sent["id"]


async def test_history_forgets_the_oldest_but_the_truth_log_does_not(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.configure(history_limit=2)
    for number in range(4):
        await wire.text(channel, f"1555000000{number}")
    assert (await wire.gate(channel.token, "GET", "/messages/list")).json()["total"] == 2
    assert wire.emulator.network.total() == 4


async def test_numbers_are_checked(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.configure(numbers_without_whatsapp=["15550009999"])
    request = {"contacts": ["+55 11 90000-0000", "15550009999"], "force_check": True}
    body = (await wire.gate(channel.token, "POST", "/contacts", json=request)).json()
    assert body == {
        "contacts": [
            {"input": "+55 11 90000-0000", "status": "valid", "wa_id": f"{TO}@s.whatsapp.net"},
            {"input": "15550009999", "status": "invalid"},
        ]
    }
    for number, status in ((TO, 200), ("15550009999", 404), ("abc", 400)):
        answer = await wire.gate(channel.token, "HEAD", f"/contacts/{number}")
        assert (answer.status_code, answer.content) == (status, b"")


async def test_limits_are_counted_on_a_trial_channel_and_empty_on_a_live_one(
    wire: Wire, channel: WhapiChannel
) -> None:
    body = (await wire.gate(channel.token, "GET", "/limits")).json()
    assert facts.shape(body) == facts.shape(facts.LIMITS)
    await wire.text(channel, TO)
    body = (await wire.gate(channel.token, "GET", "/limits")).json()
    assert (body["messages"], body["chats"]) == (149, [f"{TO}@s.whatsapp.net"])
    channel.facts["mode"] = "live"
    live = await wire.gate(channel.token, "GET", "/limits")
    assert (live.status_code, live.content) == (204, b"")


async def test_the_trial_limits_are_402_when_enforced_and_roll_with_the_calendar(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.configure(enforce_trial=True, trial_messages_per_day=6, error_shape="flat")
    for number in range(5):
        await wire.text(channel, f"1555000000{number}")
    sixth_chat = await wire.text(channel, "15550000009")
    assert (sixth_chat.status_code, sixth_chat.json()) == (402, facts.FLAT_LIMIT)
    assert (await wire.text(channel, "15550000000")).status_code == 200
    assert (await wire.text(channel, "15550000000")).status_code == 402
    await wire.emulator.advance(86_400)
    assert (await wire.text(channel, "15550000000")).status_code == 200
    # A new day brings new messages, but the chats are the month's.
    assert (await wire.text(channel, "15550000009")).status_code == 402


async def test_checks_and_requests_of_a_trial_channel_are_limited_too(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.configure(enforce_trial=True, trial_checks_per_day=2, trial_requests_per_month=3)
    statuses = []
    for _ in range(4):
        answer = await wire.gate(channel.token, "POST", "/contacts", json={"contacts": [TO]})
        statuses.append(answer.status_code)
    assert statuses == [200, 200, 402, 402]
    assert (await wire.gate(channel.token, "GET", "/settings")).status_code == 402


async def test_a_message_to_another_channels_phone_arrives_in_that_channel(
    wire: Wire, channel: WhapiChannel
) -> None:
    other = await wire.emulator.paired_channel("Other", "15550002000")
    await wire.text(channel, "15550002000", "psst")
    (message,) = (await wire.gate(other.token, "GET", "/messages/list")).json()["messages"]
    assert (message["from_me"], message["from"]) == (False, "15550001000")
    assert (await wire.gate(other.token, "GET", f"/statuses/{message['id']}")).status_code == 403
