"""Send an approved template to a file of recipients, after trying it on a phone of one's own.

For gateways that front the official API, where whoever has not written for a day can only be sent a template. The
number is connected and the template approved on the gateway's own pages; the connection ``whatsapp_default`` names it.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task

from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.model import MessageStatus
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator
from whatsapp_provider.operators.templates import WhatsAppSyncTemplatesOperator
from whatsapp_provider.sensors.channel import WhatsAppChannelConnectedSensor

TEMPLATE = {"kind": "template", "name": "order_update", "language": "en_US"}


@dag(
    schedule=None,
    tags=["whatsapp"],
    params={"audience": "orders.csv", "own_phone": "+15550000001", "pace": "official"},
)
def whatsapp_template_campaign():
    """Tell people that their orders are under way."""
    templates = WhatsAppSyncTemplatesOperator(
        task_id="check_templates", require=["order_update/en_US"], names=["order_update"]
    )
    connected = WhatsAppChannelConnectedSensor(task_id="wait_connected", deferrable=True)
    trial = WhatsAppSendMessageOperator(
        task_id="try_it",
        to="{{ params.own_phone }}",
        message={**TEMPLATE, "body": ["Ada", "2026-0017"]},
    )

    @task(retries=5, retry_delay=timedelta(seconds=10))
    def look(sent: dict[str, str]) -> str:
        """Let nobody else get a template that has not come to one's own phone."""
        status = WhatsAppHook("whatsapp_default").message_status(sent["message_id"])
        if status not in {MessageStatus.DELIVERED, MessageStatus.READ}:
            raise RuntimeError(f"the trial is {status.value}")
        return status.value

    campaign = WhatsAppSendCampaignOperator(
        task_id="send_campaign",
        audience="{{ params.audience }}",
        message={**TEMPLATE, "body": ["{{ name }}", "{{ order }}"]},
        pace="{{ params.pace }}",
        deferrable=True,
    )
    templates >> connected >> trial
    look(trial.output) >> campaign


whatsapp_template_campaign()
