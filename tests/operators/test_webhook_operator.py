"""Webhooks as tasks: merged with other people's, never with a value gone wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.world import World, context
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator

OURS, THEIRS = "https://ours.example/hook", "https://theirs.example/hook"


def configure(url: str = OURS, **fields: Any) -> bool:
    return WhatsAppConfigureWebhookOperator(task_id="webhook", url=url, **fields).execute(context())


def webhooks() -> dict[str, Any]:
    hook = WhatsAppHook()
    found = hook.run(hook.gateway.channel(hook.channel_ref()).webhooks())
    return {webhook.url: webhook for webhook in found}


def test_a_webhook_is_added_changed_and_removed_and_others_stay(world: World) -> None:
    assert configure(THEIRS, events=["users.post"]) is True
    assert configure(events=["messages.post"], headers={"x-key": "secret"}) is True
    assert configure(events=["messages.post"], headers={"x-key": "secret"}) is False
    assert configure(events=["messages.post", "statuses.post"]) is True
    assert set(webhooks()) == {OURS, THEIRS}
    assert webhooks()[OURS].events == ("messages.post", "statuses.post")
    assert configure(remove=True) is True
    assert configure(remove=True) is False
    assert set(webhooks()) == {THEIRS}


def test_events_that_a_template_made_text_are_read_as_a_list(world: World) -> None:
    configure(events="messages.post, statuses.post")
    assert webhooks()[OURS].events == ("messages.post", "statuses.post")


@pytest.mark.parametrize("url", ["", "ftp://example.com/x", "example.com/hook", "/hook", "https://", None])
def test_a_url_that_no_gateway_can_reach_is_refused(world: World, url: Any) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="http:// or https://"):
        configure(url)
    assert webhooks() == {}


def test_headers_that_are_no_mapping_are_refused_without_being_shown(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="headers are a str") as caught:
        configure(headers="x-key: swordfish")
    assert "swordfish" not in str(caught.value)
    assert webhooks() == {}


def test_an_event_of_the_wrong_form_is_refused(world: World) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match=r"messages\.post"):
        configure(events=["messages"])
    assert webhooks() == {}
