"""Tell the person on call by WhatsApp when a task fails, and when the whole run is late.

Whom they reach stands in the connection ``whatsapp_default``, in its field Notify (``notify_to``), and not in the
DAG: Airflow stores and logs what a deadline's callback is given.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task

# Airflow 3.2 and later have them in airflow.sdk, too.
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

from whatsapp_provider.notifications.whatsapp import WhatsAppNotifier, send_whatsapp_notification


@dag(
    schedule=None,
    tags=["whatsapp"],
    params={"orders": 0},
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=30),
        callback=AsyncCallback(WhatsAppNotifier, kwargs={"text": "{{ dag_run.dag_id }} takes too long."}),
    ),
)
def whatsapp_notify():
    """Check the orders of the day, and close the books whatever the check says."""

    @task(
        on_failure_callback=send_whatsapp_notification(
            text="{{ ti.dag_id }}.{{ ti.task_id }} failed: {{ params.orders }} orders today. {{ ti.log_url }}"
        )
    )
    def check_orders(params: dict[str, int]) -> None:
        """Fail on a day without orders."""
        if not params["orders"]:
            raise ValueError("there are no orders")

    @task(trigger_rule="all_done")
    def close_books() -> None:
        """Run in any case."""

    check_orders() >> close_books()


whatsapp_notify()
