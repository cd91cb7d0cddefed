"""What Airflow asks a provider for: pure data, built from the gateways' table.

Airflow calls this in every process; it loads no HTTP client, no SQLAlchemy and no Airflow.
"""

from __future__ import annotations

from typing import Any

from whatsapp_provider import __version__
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine

PACKAGE = "airflow-provider-whatsapp"
_MODULES = {
    "hooks": ["whatsapp", "ledger", "media"],
    "operators": [
        "channel",
        "webhook",
        "message",
        "campaign",
        "plan",
        "trial",
        "approval",
        "control",
        "settle",
        "report",
        "suppression",
        "people",
        "contacts",
        "health",
        "numbers",
        "settings",
        "templates",
    ],
    "sensors": ["channel", "campaign"],
    "triggers": ["channel", "campaign", "moment"],
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata."""
    return {
        "package-name": PACKAGE,
        "name": "WhatsApp",
        "description": "WhatsApp channels and campaigns as tasks, over any gateway.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": "WhatsApp",
                "external-doc-url": "https://www.whatsapp.com/business/",
                "tags": ["service"],
            }
        ],
        **{kind: [_modules(kind)] for kind in _MODULES},
        "connection-types": [_connection_type(line) for line in GATEWAYS.values()],
        "extra-links": ["whatsapp_provider.operators.links.PairingLink"],
        "notifications": ["whatsapp_provider.notifications.whatsapp.WhatsAppNotifier"],
        "cli": ["whatsapp_provider.cli.get_whatsapp_cli_commands"],
        "config": _CONFIG,
    }


def _modules(kind: str) -> dict[str, Any]:
    modules = [f"whatsapp_provider.{kind}.{name}" for name in _MODULES[kind]]
    if kind == "hooks":
        modules += [line.form.hook_class.rpartition(".")[0] for line in GATEWAYS.values()]
    return {"integration-name": "WhatsApp", "python-modules": modules}


def _connection_type(line: GatewayLine) -> dict[str, Any]:
    form = line.form
    return {
        "connection-type": form.connection_type,
        "hook-class-name": form.hook_class,
        "hook-name": form.label,
        "ui-field-behaviour": form.behaviour(),
        "conn-fields": {name: dict(field) for name, field in form.fields.items()},
    }


def _option(description: str, default: str, example: str | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": "string",
        "example": example,
        "default": default,
    }


_CONFIG = {
    "whatsapp": {
        "description": "Where the WhatsApp provider keeps its ledger of what was sent.",
        "options": {
            "ledger_conn_id": _option(
                "Connection of the ledger's database (type postgres, mysql or sqlite). One that is named here is "
                "required. Empty: the connection whatsapp_ledger where there is one, else an SQLite file.",
                "",
                "whatsapp_ledger",
            ),
            "ledger_path": _option(
                "The SQLite file, for tasks on one host. Empty: whatsapp/ledger.db below AIRFLOW_HOME.",
                "",
                "/var/lib/airflow/whatsapp/ledger.db",
            ),
            "ledger_auto_upgrade": _option(
                "Whether tasks make the ledger's tables and upgrade them at their first use. False: a person does, "
                "with 'airflow whatsapp ledger upgrade'.",
                "True",
                "False",
            ),
            "retention_days": _option(
                "Days after a campaign's end from which a purge takes people's data out of it. Empty: whoever purges "
                "has to say. Nothing is purged by itself.",
                "",
                "180",
            ),
            "settle_seconds": _option(
                "Seconds that a gateway may take to show in its history what it sent; a message in doubt is looked "
                "up there after this time, and again after as long.",
                "30",
                "60",
            ),
            "private_media_hosts": _option(
                "Hosts, addresses and networks of your own, with commas between them, that messages may name files on. "
                "All others must have public addresses.",
                "",
                "files.internal, 10.0.3.0/24",
            ),
        },
    }
}
