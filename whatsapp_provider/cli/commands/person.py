"""``airflow whatsapp person …``."""

from __future__ import annotations

from whatsapp_provider.cli.commands.kinds import Command, Group, Option

_PERSON = (
    Option(
        "--person",
        {
            "metavar": "WHO",
            "help": "a number with country code, a WhatsApp id, or a user id of Meta's (default: a line of standard "
            "input, which no history of commands keeps)",
        },
    ),
    Option("--region", {"metavar": "CODE", "help": "country of a number without country code, e.g. BR"}),
)

PERSON = Group(
    name="person",
    help="Show what the ledger holds about one person, or erase them",
    commands=(
        Command(
            name="export",
            help="Print all that the ledger holds about one person",
            description="Print all that the ledger holds about one person, by any of their forms, as JSON.",
            module="whatsapp_provider.cli.person.export",
            options=(
                *_PERSON,
                Option("--output", {"metavar": "FILE", "help": "a new file, which only its owner can read"}),
            ),
        ),
        Command(
            name="erase",
            help="Erase one person",
            description="Erase one person from the ledger: a keyed hash of each of their forms is left. What waits "
            "for them is not sent. This can't be undone.",
            module="whatsapp_provider.cli.person.erase",
            options=(
                *_PERSON,
                Option(
                    "--no-suppress",
                    {"action": "store_true", "help": "don't put the hash on the list opt_out"},
                ),
                Option(
                    "--by", {"metavar": "NAME", "help": "who does it (default: the user of this process)"}
                ),
                Option("--yes", {"action": "store_true", "help": "don't ask"}),
                Option("--json", {"action": "store_true", "help": "print JSON, for machines"}),
            ),
        ),
    ),
)
