"""Plan a campaign from a query, have it approved, send it over two numbers on two gateways, and export what came of it.

Needs two WhatsApp connections, each with a channel of its own or one that is named, a connection ``crm`` to a database
with a table ``customers``, and Airflow's provider of that database.
"""

from __future__ import annotations

from airflow.sdk import Asset, dag

from whatsapp_provider.audiences import SqlAudience
from whatsapp_provider.operators.approval import WhatsAppApproveCampaignOperator
from whatsapp_provider.operators.campaign import WhatsAppSendCampaignOperator
from whatsapp_provider.operators.plan import WhatsAppPlanCampaignOperator
from whatsapp_provider.operators.report import WhatsAppExportReportOperator

CUSTOMERS = "SELECT phone, name, opted_in FROM customers WHERE city = ?"


@dag(
    schedule=None,
    tags=["whatsapp"],
    params={"city": "Lisbon", "channel": "", "pace": "cautious", "report": "s3://reports/campaign.csv"},
)
def whatsapp_planned_campaign():
    """Invite the customers of a city."""
    plan = WhatsAppPlanCampaignOperator(
        task_id="plan",
        audience=SqlAudience("crm", CUSTOMERS, ["{{ params.city }}"]),
        consent="opted_in",
        message="Hello {{ name }}, our shop in {{ city }} opens on Monday.",
        variables={"city": "{{ params.city }}"},
        channels=[
            {"whatsapp_conn_id": "whatsapp_default", "channel": "{{ params.channel }}"},
            {"whatsapp_conn_id": "whatsapp_second"},
        ],
        pace="{{ params.pace }}",
        frequency_cap={"messages": 1, "days": 7},
        thresholds={"max_recipients": 5000, "max_left_out": 0.5},
        needs_approval=True,
    )
    # Airflow 3.3 may fail a task that goes on at once; who has said yes is not asked again.
    approve = WhatsAppApproveCampaignOperator(task_id="approve", campaign=plan.output, retries=3)
    send = WhatsAppSendCampaignOperator(
        task_id="send_campaign",
        campaign=plan.output,
        deferrable=True,
        # Other DAGs follow: their runs find the counts in the event (campaign_follow_up.py).
        outlets=[Asset("whatsapp_city_campaign")],
    )
    report = WhatsAppExportReportOperator(
        task_id="export_report", campaign=send.output, path="{{ params.report }}"
    )
    approve >> send >> report


whatsapp_planned_campaign()
