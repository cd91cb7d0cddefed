"""Look at every channel of the account each morning, and tell people when one is not as it should be.

Whom they reach stands in the connection ``whatsapp_alerts``, in its field Notify (``notify_to``): another number than
those that are looked at, because a channel that is down can't say so.
"""

from __future__ import annotations

from airflow.sdk import dag

from whatsapp_provider.notifications.whatsapp import send_whatsapp_notification
from whatsapp_provider.operators.health import WhatsAppHealthReportOperator


@dag(
    schedule=None,  # every morning: "0 7 * * *"
    tags=["whatsapp"],
    params={"fail_on": "disconnected, stopped, error, unknown, template_paused", "min_days_left": 3},
)
def whatsapp_channel_health():
    """Report, and fail where a person has to do something."""
    WhatsAppHealthReportOperator(
        task_id="look",
        fail_on="{{ params.fail_on }}",
        min_days_left="{{ params.min_days_left }}",
        # What went wrong names the channels and holds no number.
        on_failure_callback=send_whatsapp_notification(
            text="{{ exception }}", whatsapp_conn_id="whatsapp_alerts"
        ),
    )


whatsapp_channel_health()
