"""Ours: one task, its default of five sends at once, and with fifty.

About a kill: each send is written into the ledger before it is on the wire, so the retry goes on where it ended. Who
was under way is looked up in the gateway's history; who is not found in it after two looks is sent to.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator


def campaign(dag_id: str, concurrency: int) -> None:
    @dag(dag_id=dag_id, schedule=None)
    def one_task() -> None:
        WhatsAppSendCampaignOperator(
            task_id="send",
            whatsapp_conn_id="{{ dag_run.conf['conn_id'] }}",
            audience="{{ dag_run.conf['audience'] }}",
            message="Hello {{ name }}",
            pace="unlimited",
            retries=1,
            retry_delay=timedelta(seconds=1),
            concurrency=concurrency,
        )

    one_task()


campaign("campaign", concurrency=5)
campaign("campaign_50", concurrency=50)
