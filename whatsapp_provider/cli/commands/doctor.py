"""``airflow whatsapp doctor``."""

from __future__ import annotations

from whatsapp_provider.cli.commands.kinds import Command, Option, seconds

DOCTOR = Command(
    name="doctor",
    help="Check versions, connections, ledger, pairing page and settings",
    description="Look at what the WhatsApp provider needs and say what is wrong and what to do. Nothing is "
    "sent or changed. The exit code is 0 without a problem, 1 with one.",
    module="whatsapp_provider.cli.doctor",
    options=(
        Option(
            "--conn-id",
            {
                "action": "append",
                "metavar": "ID",
                "help": "a connection that can't be listed, such as one of a secrets backend; may be repeated",
            },
        ),
        Option("--json", {"action": "store_true", "help": "print JSON, for machines"}),
        Option(
            "--timeout",
            {
                "type": seconds,
                "default": 20.0,
                "metavar": "SECONDS",
                "help": "how long each connection and database may take (default: 20)",
            },
        ),
    ),
)
