"""``airflow whatsapp ledger …``."""

from __future__ import annotations

from whatsapp_provider.cli.commands.kinds import Command, Group, Option

LEDGER = Group(
    name="ledger",
    help="Look after the ledger of what was sent",
    commands=(
        Command(
            name="upgrade",
            help="Make the ledger's tables, or bring them to this version",
            description="Make the ledger's tables, or add what this version has more. Tasks of the version "
            "before may run meanwhile. Nothing is deleted or sent.",
            module="whatsapp_provider.cli.ledger.upgrade",
            options=(
                Option(
                    "--conn-id",
                    {
                        "metavar": "ID",
                        "help": "a connection to the same database whose user may change tables (default: the "
                        "ledger's own)",
                    },
                ),
            ),
        ),
        Command(
            name="doubts",
            help="List the messages that may or may not have been sent",
            description="List the deliveries in doubt. Each was handed to the gateway and not answered.",
            module="whatsapp_provider.cli.ledger.doubts",
            options=(
                Option("--campaign", {"metavar": "ID", "help": "of this campaign only"}),
                Option(
                    "--numbers",
                    {"action": "store_true", "help": "print whole numbers, to look the chats up by"},
                ),
                Option("--json", {"action": "store_true", "help": "print JSON, for machines"}),
            ),
        ),
        Command(
            name="settle",
            help="Say of messages in doubt whether they arrived",
            description="Settle deliveries in doubt by the word of somebody who looked. Who and when is kept. What "
            "was not sent is sent by the next run of its task.",
            module="whatsapp_provider.cli.ledger.settle",
            options=(
                Option("--campaign", {"metavar": "ID", "required": True, "help": "the campaign's id"}),
                Option(
                    "--delivery",
                    {
                        "metavar": "NUMBER",
                        "type": int,
                        "action": "append",
                        "help": "a delivery's number in the list of doubts; may be repeated (default: all of the "
                        "campaign)",
                    },
                ),
                Option(
                    "--outcome",
                    {
                        "metavar": "WORD",
                        "choices": ("sent", "not_sent"),
                        "required": True,
                        "help": "sent or not_sent",
                    },
                ),
                Option("--by", {"metavar": "NAME", "help": "who looked (default: the user of this process)"}),
                Option("--note", {"metavar": "TEXT", "help": "what is to be remembered of it"}),
            ),
        ),
        Command(
            name="purge",
            help="Take people's data out of campaigns that ended long ago",
            description="Take people's data out of campaigns that ended long ago: recipients become keyed hashes, "
            "values go, counts stay. Campaigns that have not ended, messages in doubt and what a frequency cap counts "
            "stay. This can't be undone.",
            module="whatsapp_provider.cli.ledger.purge",
            options=(
                Option(
                    "--older-than",
                    {
                        "metavar": "DAYS",
                        "help": "days since a campaign's end (default: [whatsapp] retention_days)",
                    },
                ),
                Option(
                    "--delete-older-than",
                    {
                        "metavar": "DAYS",
                        "help": "delete campaigns whole that ended so long ago: a task of theirs that is cleared sends "
                        "to everybody again (default: none)",
                    },
                ),
                Option("--dry-run", {"action": "store_true", "help": "only say what would be done"}),
                Option("--yes", {"action": "store_true", "help": "don't ask"}),
                Option("--json", {"action": "store_true", "help": "print JSON, for machines"}),
            ),
        ),
    ),
)
