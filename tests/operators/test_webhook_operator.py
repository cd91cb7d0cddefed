"""Webhooks as tasks: merged with other people's, never with a value gone wrong."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.hooks.world import World, context
from whatsapp_provider.errors import TemporarilyUnavailableError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator

OURS, THEIRS = "https://ours.example/hook", "https://theirs.example/hook"


def configure(url: str = OURS, *, run_id: str = "manual__1", **fields: Any) -> bool:
    task = WhatsAppConfigureWebhookOperator(task_id="webhook", url=url, **fields)
    return task.execute(context(run_id=run_id))


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


@pytest.mark.parametrize(
    "url", ["", "ftp://example.com/x", "example.com/hook", "/hook", "https://", "https://[::1", None]
)
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


def test_two_tasks_at_once_lose_none_of_their_webhooks(world: World) -> None:
    open_ledger().prepare()
    world.fault("delay", delay=0.3, method="GET", path="/settings", times=2)
    threads = [
        threading.Thread(target=configure, args=(url,), kwargs={"run_id": url}) for url in (OURS, THEIRS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert set(webhooks()) == {OURS, THEIRS}
    assert world.asked("PATCH /whapi/gate/settings") == 2
    assert world.ledger_rows()["wa_channel_claim"] == 0


def test_a_failed_task_keeps_nobody_waiting(world: World) -> None:
    world.fault("status", status=403, method="PATCH", path="/settings")
    with pytest.raises(WhatsAppTaskFailedError, match="403"):
        configure()
    assert world.ledger_rows()["wa_channel_claim"] == 0


def test_a_webhook_that_a_write_did_not_leave_is_written_again(world: World) -> None:
    world.fault("status", status=200, body={}, method="PATCH", path="/settings")
    assert configure() is True
    assert set(webhooks()) == {OURS}
    assert world.asked("PATCH /whapi/gate/settings") == 2


@pytest.mark.parametrize("remove", [False, True])
def test_a_webhook_that_is_undone_each_time_fails_the_task(world: World, remove: bool) -> None:
    if remove:
        configure()
    world.fault("status", status=200, body={}, method="PATCH", path="/settings", times=None)
    with pytest.raises(TemporarilyUnavailableError, match="3 times"):
        configure(remove=remove)


def test_headers_stay_where_none_are_given_and_go_where_they_are_emptied(world: World) -> None:
    configure(headers={"x-key": "secret"})
    configure(events=["users.post"])
    assert webhooks()[OURS].headers == {"x-key": "secret"}
    configure(events=["users.post"], headers={})
    assert webhooks()[OURS].headers == {}
