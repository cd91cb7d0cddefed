"""Create a channel, wait until a phone is paired with it, and send a campaign to a file of recipients.

The same file runs on any gateway: only the connection ``whatsapp_default`` differs.
"""

from __future__ import annotations

from airflow.sdk import dag

from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator
from whatsapp_provider.sensors.channel import (
    WhatsAppChannelConnectedSensor,
    WhatsAppChannelInitializedSensor,
)


@dag(
    schedule=None,
    tags=["whatsapp"],
    params={
        "channel_name": "spring-campaign",
        "audience": "people.csv",
        "webhook_url": "https://example.com/whatsapp",
        "pace": "cautious",
    },
)
def whatsapp_onboard_and_campaign():
    """Onboard a channel, then send from it."""
    create = WhatsAppCreateChannelOperator(task_id="create_channel", channel_name="{{ params.channel_name }}")
    initialized = WhatsAppChannelInitializedSensor(
        task_id="wait_initialized", channel=create.output, deferrable=True
    )
    # While this waits, its link "Pair a channel" shows the QR code to scan.
    connected = WhatsAppChannelConnectedSensor(
        task_id="wait_connected", channel=create.output, deferrable=True, timeout=3600
    )
    webhook = WhatsAppConfigureWebhookOperator(
        task_id="configure_webhook", channel=create.output, url="{{ params.webhook_url }}"
    )
    campaign = WhatsAppSendCampaignOperator(
        task_id="send_campaign",
        channel=create.output,
        audience="{{ params.audience }}",
        message="Hello {{ name }}, our spring sale begins on {{ begins }}.",
        variables={"begins": "{{ ds | default('Monday', true) }}"},
        pace="{{ params.pace }}",
        deferrable=True,
    )
    initialized >> connected >> webhook >> campaign


whatsapp_onboard_and_campaign()
