"""How each gateway's form is filled in for the emulator, and what its test then says: a line for each gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WRONG = "a-secret-of-nobody-4711"
KEPT = "a-kept-secret-of-one-channel-471"


@dataclass(frozen=True)
class FilledForm:
    """One gateway's form as a person fills it in.

    :param standard: fields of Airflow's own that are shown, by their labels; a text in braces is an address of the
        emulator.
    :param secret: the label of the account's secret, and the emulator's name for the right one.
    :param further: what goes into the gateway's own fields, by their labels.
    :param stored: what is then in the connection's extra; fields that are not named are empty.
    :param good: what the test says about the right secret.
    :param bad: what it says about a wrong one, and what to do.
    """

    standard: Mapping[str, str]
    secret: tuple[str, str]
    further: Mapping[str, str]
    stored: Mapping[str, Any]
    good: str
    bad: tuple[str, str]


FORMS: Mapping[str, FilledForm] = {
    "evolution": FilledForm(
        standard={"Server URL": "{evolution_url}", "Port": "{port}"},
        secret=("Global API key", "evolution_key"),
        further={"Instance": "desk", "Instance token": KEPT, "Timeout": "12", "Notify": "+15550004711"},
        stored={"instance": "desk", "instance_token": "***", "timeout": 12, "notify_to": "+15550004711"},
        good="Evolution API 2.3.6 at 127.0.0.1:{port}, 0 instances",
        bad=("Evolution API answered 401", "global API key (Password)"),
    ),
    "waabot": FilledForm(
        standard={"Base URL": "{waabot_url}", "Port": "{port}"},
        secret=("Account token", "waabot_token"),
        further={
            "Refresh token": KEPT,
            "Session id": KEPT,
            "Access token": KEPT,
            "Channel id": "61c08cdf2ff357329471bbb1",
            "Timeout": "45",
            "Notify": "+15550004711",
        },
        stored={
            "refresh_token": "***",
            "session_secret": "***",
            "access_token": "***",
            "channel_id": "61c08cdf2ff357329471bbb1",
            "timeout": 45,
            "notify_to": "+15550004711",
        },
        good="Waabot account at 127.0.0.1:{port}, 0 bots",
        bad=("Waabot answered 403", "fill in a new one (Password)"),
    ),
    "whapi": FilledForm(
        standard={"Gate URL": "{gate_url}", "Port": "{port}"},
        secret=("Partner token", "partner_token"),
        further={
            "Manager URL": "{manager_url}",
            "Channel token": KEPT,
            "Channel id": "DESK-47",
            "Timeout": "12",
            "Notify": "+15550004711",
        },
        stored={
            "manager_url": "{manager_url}",
            "channel_token": "***",
            "channel_id": "DESK-47",
            "timeout": 12,
            "notify_to": "+15550004711",
        },
        good="Whapi account with main project 'Main', 0 channels",
        bad=("Whapi manager answered 401", "copy it anew into the connection (Password)"),
    ),
    "whatscloud": FilledForm(
        standard={"API URL": "{whatscloud_url}", "Port": "{port}"},
        secret=("API token", "whatscloud_token"),
        further={
            "Tenant": "{whatscloud_tenant}",
            "Webhook secret": KEPT,
            "Timeout": "12",
            "Notify": "+15550004711",
        },
        stored={
            "tenant": "{whatscloud_tenant}",
            "webhook_secret": "***",
            "timeout": 12,
            "notify_to": "+15550004711",
        },
        good="WhatsCloud tenant 'acme', 13 templates",
        bad=("WhatsCloud answered 401", "Copy the API token anew into connection"),
    ),
}
