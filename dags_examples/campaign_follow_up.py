"""Run when a campaign has come to its end, and look at what came of it.

The task that sends has ``outlets=[Asset("whatsapp_city_campaign")]`` (whatsapp_planned_campaign.py).
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, dag, task

CAMPAIGN = Asset("whatsapp_city_campaign")


@dag(schedule=[CAMPAIGN], tags=["whatsapp"])
def whatsapp_campaign_follow_up():
    """Say how many were reached."""

    @task
    def tell(triggering_asset_events: Any = None) -> list[str]:
        """Return a line for each campaign that has ended since the last run."""
        ended = [event.extra["whatsapp_campaign"] for event in triggering_asset_events[CAMPAIGN]]
        return [f"{one['campaign_id']}: {one['sent']} of {one['total']} sent" for one in ended]

    tell()


whatsapp_campaign_follow_up()
