"""Send one message, once for each order, and look how far it has come.

A retried or cleared task sends nothing again: the ledger knows the message by its key.
"""

from __future__ import annotations

from airflow.sdk import dag, task

from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.operators.message import WhatsAppSendMessageOperator


@dag(
    schedule=None,
    tags=["whatsapp"],
    params={"to": "+15550000001", "name": "Ada", "order": "2026-0017"},
)
def whatsapp_send_message():
    """Tell one customer that their order is ready."""
    send = WhatsAppSendMessageOperator(
        task_id="send_message",
        to="{{ params.to }}",
        text="Hello {{ params.name }}, your order {{ params.order }} is ready.",
        message_key="order-ready/{{ params.order }}",
    )

    @task
    def look(sent: dict[str, str]) -> str:
        """Ask the gateway; a hook works in any task, sync or async."""
        return WhatsAppHook("whatsapp_default").message_status(sent["message_id"]).value

    look(send.output)


whatsapp_send_message()
