"""Create a channel, wait until a phone is paired with it, and have its events reported.

Run it once for each number. The channel's reference, which the other examples take, is what
``create_channel`` returns; it holds no token.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from whatsapp_provider.operators.channel import WhatsAppCreateChannelOperator
from whatsapp_provider.operators.webhook import WhatsAppConfigureWebhookOperator
from whatsapp_provider.sensors.channel import (
    WhatsAppChannelConnectedSensor,
    WhatsAppChannelInitializedSensor,
)


@dag(
    schedule=None,
    tags=["whatsapp"],
    params={"channel_name": "front-desk", "webhook_url": "https://example.com/whatsapp"},
)
def whatsapp_onboard_channel():
    """Onboard one channel."""
    create = WhatsAppCreateChannelOperator(
        task_id="create_channel",
        channel_name="{{ params.channel_name }}",
        deferrable=True,  # at the account's creation limit it waits, and takes no worker slot
    )
    initialized = WhatsAppChannelInitializedSensor(
        task_id="wait_initialized", channel=create.output, deferrable=True, timeout=timedelta(minutes=15)
    )
    # While this waits, its link "Pair a channel" shows the QR code to scan.
    connected = WhatsAppChannelConnectedSensor(
        task_id="wait_connected", channel=create.output, deferrable=True, timeout=timedelta(days=1)
    )
    webhook = WhatsAppConfigureWebhookOperator(
        task_id="configure_webhook",
        channel=create.output,
        url="{{ params.webhook_url }}",
    )
    initialized >> connected >> webhook


whatsapp_onboard_channel()
