"""Waits for a campaign in the triggerer: they look into the ledger, outlive its outages, and store nothing private."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.triggers.base import TaskSuccessEvent

from tests.campaigns.ledger.book import PACE
from tests.campaigns.support import CHANNEL, entry
from tests.hooks.world import World
from tests.triggers.firing import first_event
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.triggers import campaign as triggers
from whatsapp_provider.triggers.campaign import WhatsAppCampaignResumeTrigger, WhatsAppCampaignTrigger

ADA = By("ada")


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    """A ledger with a campaign of one."""
    found = open_ledger()
    found.plan(Campaign("spring", CHANNEL), "text", [entry(0)])
    yield found
    found.dispose()


def wait(**fields: Any) -> WhatsAppCampaignTrigger:
    values = {
        "campaign_id": "spring",
        "until": "finished",
        "deadline": time.time() + 30,
        "poke_interval": 0.05,
        **fields,
    }
    return WhatsAppCampaignTrigger(**values)


def finish(ledger: Ledger) -> None:
    record = ledger.find("spring")
    assert record is not None
    lease = ledger.begin(record, label="", seconds=60)
    (task,) = ledger.turn(lease, [], places=1, pace=PACE).tasks
    ledger.end(lease, [Result(task, DeliveryState.ACCEPTED, message_id="id")])
    ledger.finish(record)


async def test_a_campaign_that_comes_to_its_end_ends_the_task_in_the_trigger(ledger: Ledger) -> None:
    waiting = asyncio.create_task(first_event(wait()))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await asyncio.to_thread(finish, ledger)
    assert isinstance(await waiting, TaskSuccessEvent)


async def test_a_success_is_told_where_the_task_must_resume(ledger: Ledger) -> None:
    finish(ledger)
    event = await first_event(wait(end_from_trigger=False))
    assert event.payload == {"status": "done", "reason": "campaign is finished, 1 of 1 sent"}


async def test_what_can_not_come_good_and_what_is_late_is_told(ledger: Ledger) -> None:
    late = await first_event(wait(deadline=time.time() + 0.2))
    assert late.payload["status"] == "timed_out"
    ledger.cancel("spring", ADA)
    assert (await first_event(wait())).payload["status"] == "failed"


async def test_a_held_campaign_that_may_go_on_is_noticed_within_one_look(ledger: Ledger) -> None:
    ledger.pause("spring", ADA)
    waiting = asyncio.create_task(first_event(WhatsAppCampaignResumeTrigger("spring", 0.1)))
    await asyncio.sleep(0.4)
    assert not waiting.done()
    ledger.unpause("spring", ADA)
    async with asyncio.timeout(2):
        assert (await waiting).payload == {"status": "due"}


async def test_a_cancel_wakes_who_waits_for_the_end_of_a_pause(ledger: Ledger) -> None:
    ledger.pause("spring", ADA)
    ledger.cancel("spring", ADA)
    assert (await first_event(WhatsAppCampaignResumeTrigger("spring", 0.01))).payload == {"status": "due"}


async def test_what_the_triggerer_can_not_see_a_worker_looks_at_and_no_ledger_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its host is another one, and the file there is not the ledger."""
    looks: list[int] = []
    opened = triggers.open_ledger_async

    async def counted(**options: Any) -> Ledger:
        looks.append(1)
        return await opened(**options)

    monkeypatch.setattr(triggers, "open_ledger_async", counted)
    assert (await first_event(WhatsAppCampaignResumeTrigger("spring", 0.01))).payload == {"status": "due"}
    assert len(looks) == triggers.MOST_VAIN_LOOKS
    late = await first_event(wait(deadline=time.time() + 0.2))
    assert late.payload["status"] == "timed_out"
    assert "could not look" in late.payload["reason"]
    assert world.ledger_rows()["wa_campaign"] == 0


def test_what_airflow_stores_names_nobody(ledger: Ledger) -> None:
    assert "1555" not in str(wait().serialize())
    assert "1555" not in str(WhatsAppCampaignResumeTrigger("spring", 30.0).serialize())
