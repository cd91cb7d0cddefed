"""Two DAGs: a campaign that is cancelled before it is sent, and one whose asset tells others how it went."""

from __future__ import annotations

CANCELLED = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag
from whatsapp_provider.operators.control import WhatsAppControlCampaignOperator
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator

@dag(schedule=None)
def cancelled():
    plan = WhatsAppPlanCampaignOperator(task_id="plan", audience=["15550000001"], message="Hi", campaign_id="cancelled")
    stop = WhatsAppControlCampaignOperator(task_id="stop", campaign=plan.output, action="cancel")
    send = WhatsAppSendCampaignOperator(task_id="send", campaign=plan.output, retries=2)
    plan >> stop >> send >> EmptyOperator(task_id="celebrate")

cancelled()
"""
TOLD = """
from airflow.sdk import Asset, dag
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator

@dag(schedule=None)
def told():
    WhatsAppSendCampaignOperator(
        task_id="send", audience=["15550000001"], message="Hi", campaign_id="told", pace="unlimited",
        outlets=[Asset("told")],
    )

told()
"""
