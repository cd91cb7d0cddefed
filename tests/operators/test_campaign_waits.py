"""What a campaign's task keeps over a wait without a worker slot."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from sqlalchemy import select

from tests.hooks.world import ADA, World, context
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator


def tries() -> int:
    ledger = open_ledger()
    ledger.prepare()
    with ledger._database.transaction() as connection:
        found = connection.execute(select(delivery.c.postponed)).scalar_one()
    ledger.dispose()
    return int(found)


def test_the_tries_before_a_wait_count_until_somebody_runs_the_task_again(world: World) -> None:
    told = {"status": 429, "headers": {"retry-after": "600"}}
    world.fault("status", **told, times=None, method="POST", path="/messages/")

    def task() -> WhatsAppSendCampaignOperator:
        values: dict[str, Any] = {"task_id": "send", "audience": [ADA], "message": "Hi", "pace": "unlimited"}
        operator = WhatsAppSendCampaignOperator(**values, deferrable=True)
        operator.render_template_fields(context())
        return operator

    with pytest.raises(TaskDeferred):
        task().execute(context())
    assert tries() == 1
    with pytest.raises(TaskDeferred):
        task().resume(context(), event={"status": "due"})
    assert tries() == 1
    with pytest.raises(TaskDeferred):
        task().execute(context())
    assert tries() == 0
