"""Fetch the audience of a campaign from a CRM over HTTP, and send to those who agreed.

Needs the extra ``examples`` (Airflow's HTTP provider) and a connection ``crm`` of type HTTP. What a task
returns is readable in Airflow's database: for people's data that must not be there, let the task write a
``.csv`` or ``.jsonl`` file to a bucket and give the campaign its URL.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import dag

from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator


def rows(response: Any) -> list[dict[str, str]]:
    """Keep of the CRM's answer what the messages need, and only those who agreed to be written to."""
    return [
        {"phone": contact["mobile"], "name": contact["first_name"]}
        for contact in response.json()["contacts"]
        if contact["whatsapp_consent"]
    ]


@dag(schedule=None, tags=["whatsapp"], params={"segment": "regulars", "pace": "cautious"})
def whatsapp_crm_campaign():
    """Invite a segment of the CRM."""
    people = HttpOperator(
        task_id="fetch_people",
        http_conn_id="crm",
        method="GET",
        endpoint="contacts",
        data={"segment": "{{ params.segment }}"},
        response_filter=rows,
        log_response=False,
    )
    WhatsAppSendCampaignOperator(
        task_id="send_campaign",
        audience=people.output,
        message="Hello {{ name }}, we open on {{ day }} at nine.",
        variables={"day": "Saturday"},
        pace="{{ params.pace }}",
        on_duplicate="skip",
        deferrable=True,
    )


whatsapp_crm_campaign()
