"""Webhooks of the WhatsCloud dialect: signed, in two forms, three tries."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from tests.emulator.conftest import Receiver
from tests.emulator.whatscloud_wire import TO, WhatsCloud, differences
from whatsapp_provider.emulator.network import Inbound

SECRET = "a-secret"
#: As a white label shows them (RASL for the described form, Xobito for the others).
CREATED: dict[str, Any] = {
    "event": "created",
    "model": "App\\Models\\Tenant\\Source",
    "data": {
        "id": 3,
        "attributes": {"id": 3, "tenant_id": 13, "name": "Fair", "created_at": "", "updated_at": ""},
        "relations": {},
    },
    "original": None,
    "timestamp": "2026-04-16T12:34:56+00:00",
}
DESCRIBED: dict[str, Any] = {
    "event": {"id": "evt_1702468200_abc123", "type": "source.created", "timestamp": "", "version": "1.0"},
    "tenant": {"id": 13, "name": "acme", "domain": "acme"},
    "data": {
        "resource": {"type": "source", "id": 3, "attributes": CREATED["data"]["attributes"]},
        "relationships": {},
    },
    "changes": {"previous": None, "current": CREATED["data"]["attributes"], "modified_fields": None},
    "metadata": {"source": "api_webhook_manager", "environment": "production", "request_id": ""},
}


@pytest.fixture
def hooked(whatscloud: WhatsCloud) -> WhatsCloud:
    whatscloud.emulator.configure(
        whatscloud_webhook_url="http://receiver/hook", whatscloud_webhook_secret=SECRET
    )
    return whatscloud


def events(receiver: Receiver) -> list[str]:
    return [body["event"] for body in receiver.bodies()]


@pytest.mark.parametrize(("form", "expected"), [("simple", CREATED), ("n8n", DESCRIBED)])
async def test_a_row_is_told_in_the_form_that_is_set(
    hooked: WhatsCloud, receiver: Receiver, form: str, expected: dict[str, Any]
) -> None:
    hooked.emulator.configure(whatscloud_webhook_form=form)
    await hooked.ask("POST", "/sources", {"name": "Fair"})
    await hooked.emulator.advance(0)
    (body,) = receiver.bodies()
    assert differences(expected, body) == []


async def test_a_call_is_signed_over_its_raw_body_and_messages_name_their_event(
    hooked: WhatsCloud, receiver: Receiver
) -> None:
    await hooked.ask("POST", "/sources", {"name": "Fair"})
    await hooked.sent()
    await hooked.emulator.advance(0.2)
    for call in receiver.calls:
        signature = hmac.new(SECRET.encode(), call["body"], hashlib.sha256).hexdigest()
        assert call["headers"]["x-webhook-signature"] == signature
    assert [call["headers"].get("x-webhook-event") for call in receiver.calls] == [None, None, "message.sent"]


async def test_a_change_tells_what_was_there_before(hooked: WhatsCloud, receiver: Receiver) -> None:
    await hooked.emulator.advance(5)
    await hooked.ask("PUT", "/statuses/2", {"name": "Waiting"})
    hooked.emulator.configure(whatscloud_webhook_form="n8n")
    await hooked.ask("PUT", "/statuses/2", {"name": "Done"})
    await hooked.emulator.advance(0)
    simple, described = receiver.bodies()
    assert (simple["event"], simple["original"]["name"]) == ("updated", "In progress")
    changes = described["changes"]
    assert (changes["previous"]["name"], changes["current"]["name"]) == ("Waiting", "Done")
    assert changes["modified_fields"] == ["name"]


async def test_groups_are_not_told(hooked: WhatsCloud, receiver: Receiver) -> None:
    await hooked.ask("POST", "/groups", {"name": "vip"})
    await hooked.emulator.advance(0)
    assert receiver.calls == []


async def test_a_messages_way_is_told_and_its_text_once(hooked: WhatsCloud, receiver: Receiver) -> None:
    message_id = await hooked.sent()
    await hooked.emulator.advance(1)
    hooked.emulator.network.read(TO)
    await hooked.emulator.advance(0)
    created, sent, delivered, read = receiver.bodies()
    assert created["model"] == "App\\Models\\Tenant\\Contact"
    assert sent["data"] == {
        "message_id": message_id,
        "status": "sent",
        "error_message": None,
        "text": "Hello",
        "type": "text",
        "tenant_id": 13,
    }
    assert [body["event"] for body in (delivered, read)] == ["message.delivered", "message.read"]
    assert "text" not in delivered["data"]


async def test_a_failure_and_a_reply_are_told(hooked: WhatsCloud, receiver: Receiver) -> None:
    await hooked.sent()
    hooked.emulator.network.reply(Inbound(TO, "Ada", "hi"))
    hooked.emulator.configure(numbers_without_whatsapp=frozenset({TO}))
    await hooked.sent()
    await hooked.emulator.advance(1)
    told = {body["event"]: body["data"] for body in receiver.bodies()}
    assert (told["message.received"]["text"], told["message.received"]["from"]) == ("hi", TO)
    assert told["message.failed"]["error_message"] == "(#131026) Message undeliverable"


async def test_a_phone_that_writes_becomes_a_contact(hooked: WhatsCloud, receiver: Receiver) -> None:
    hooked.emulator.network.reply(Inbound(TO, "Ada", "hi"), hooked.tenant.channel_id)
    await hooked.emulator.advance(0)
    assert events(receiver) == ["created", "message.received"]
    assert hooked.tenant.contacts.rows[1]["firstname"] == "Ada"


async def test_a_call_is_tried_three_times_with_one_and_two_seconds_between(
    hooked: WhatsCloud, receiver: Receiver
) -> None:
    receiver.answers = [500, 500, 500]
    await hooked.ask("POST", "/sources", {"name": "Fair"})
    await hooked.emulator.advance(60)
    start = hooked.emulator.webhooks[0]["at"]
    assert [call["at"] - start for call in hooked.emulator.webhooks] == [0, 1, 3]


async def test_without_an_address_nothing_is_told(whatscloud: WhatsCloud, receiver: Receiver) -> None:
    await whatscloud.sent()
    await whatscloud.emulator.advance(1)
    assert receiver.calls == []
