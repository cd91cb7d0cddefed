"""A sensor waits for a campaign that another task, DAG or person runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, TaskDeferred
from airflow.sdk import Asset

from tests.campaigns.support import CHANNEL, entry
from tests.hooks.world import World, context
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.base import WhatsAppTaskFailedError
from whatsapp_provider.sensors.campaign import WhatsAppCampaignSensor
from whatsapp_provider.sensors.channel import WhatsAppWaitFailedError, WhatsAppWaitTimeoutError

ADA = By("ada")


@pytest.fixture
def ledger(world: World) -> Iterator[Ledger]:
    """A ledger with a campaign of one."""
    found = open_ledger()
    found.plan(Campaign("spring", CHANNEL), "text", [entry(0)])
    yield found
    found.dispose()


def sensor(**fields: Any) -> WhatsAppCampaignSensor:
    values = {
        "task_id": "wait",
        "campaign": {"campaign_id": "spring", "sent": 0},
        "poke_interval": 0.05,
        **fields,
    }
    return WhatsAppCampaignSensor(**values)


def test_it_looks_until_the_campaign_is_there(ledger: Ledger) -> None:
    paused = sensor(until="paused")
    assert not paused.poke(context())
    ledger.pause("spring", ADA)
    assert paused.poke(context())
    paused.execute(context())


def test_what_can_not_come_good_fails_at_once(ledger: Ledger) -> None:
    ledger.cancel("spring", ADA)
    with pytest.raises(WhatsAppWaitFailedError, match="cancelled, 0 of 1 sent; waiting does not change that"):
        sensor().execute(context())
    with pytest.raises(AirflowSkipException):
        sensor(soft_fail=True, deferrable=True).execute(context())


def test_a_deferred_wait_takes_its_goal_and_its_deadline_along(ledger: Ledger) -> None:
    with pytest.raises(TaskDeferred) as caught:
        sensor(deferrable=True, until="delivered", share=0.9, timeout=timedelta(hours=1)).execute(context())
    _, arguments = caught.value.trigger.serialize()
    assert (arguments["until"], arguments["share"], arguments["campaign_id"]) == ("delivered", 0.9, "spring")
    assert 3590 < arguments["deadline"] - time.time() < 3601
    assert arguments["end_from_trigger"]


def test_a_deferred_wait_whose_end_airflow_must_hear_of_ends_on_a_worker(ledger: Ledger) -> None:
    for fields in ({"outlets": [Asset("told")]}, {"on_success_callback": lambda _context: None}):
        with pytest.raises(TaskDeferred) as caught:
            sensor(deferrable=True, **fields).execute(context())
        assert not caught.value.trigger.end_from_trigger


def test_a_campaign_that_is_there_defers_nothing(ledger: Ledger) -> None:
    assert sensor(deferrable=True, until="planned").execute(context()) is None


def test_what_the_trigger_saw_is_taken_for_a_success_only_if_it_says_so() -> None:
    sensor().execute_complete(context(), {"status": "done", "reason": "campaign is finished"})
    with pytest.raises(WhatsAppWaitTimeoutError, match="Raise timeout="):
        sensor().execute_complete(context(), {"status": "timed_out", "reason": "late"})
    for event in (None, {}, {"status": "error"}, {"status": "failed", "reason": "cancelled"}):
        with pytest.raises(WhatsAppWaitFailedError):
            sensor().execute_complete(context(), event)


def test_no_campaign_is_no_other_campaign(ledger: Ledger) -> None:
    with pytest.raises(WhatsAppTaskFailedError, match="campaign is what a task"):
        sensor(campaign=None).execute(context())


@pytest.mark.parametrize("wrong", [{"until": "over"}, {"share": 0}, {"share": 1.5}])
def test_a_wrong_option_is_refused_when_the_dag_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        sensor(**wrong)
