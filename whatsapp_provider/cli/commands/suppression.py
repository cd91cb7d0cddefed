"""``airflow whatsapp suppression …``."""

from __future__ import annotations

from whatsapp_provider.cli.commands.kinds import Command, Group, Option, moment

_MODULE = "whatsapp_provider.cli.suppression"
_PEOPLE = Option(
    "recipients",
    {
        "metavar": "RECIPIENT",
        "nargs": "+",
        "help": "a number with country code, a WhatsApp id, or a user id of Meta's",
    },
)
_LIST = Option(
    "--list",
    {"metavar": "NAME", "default": "opt_out", "help": "the list (default: opt_out, which counts always)"},
)
_REGION = Option("--region", {"metavar": "CODE", "help": "country of numbers without country code, e.g. BR"})
_BY = Option("--by", {"metavar": "NAME", "help": "who does it (default: the user of this process)"})
_REASON = Option("--reason", {"metavar": "TEXT", "help": "what is to be remembered of it"})
_UNTIL = Option(
    "--until",
    {
        "metavar": "TIME",
        "type": moment,
        "help": "when it ends, e.g. 2030-03-31T18:00+02:00; UTC where no offset is given (default: never)",
    },
)

SUPPRESSION = Group(
    name="suppression",
    help="Look after the lists of who is not to be written to",
    commands=(
        Command(
            name="add",
            help="Put people on a list",
            description="Put people on a suppression list, with all forms of them that the ledger knows. It counts "
            "from the next message on, for campaigns that are running too.",
            module=f"{_MODULE}.add",
            options=(_PEOPLE, _LIST, _REASON, _UNTIL, _REGION, _BY),
        ),
        Command(
            name="remove",
            help="Take people off a list",
            description="Take people off a suppression list, with all forms of them that the ledger knows. Their "
            "entries stay, ended, with who ended them.",
            module=f"{_MODULE}.remove",
            options=(
                _PEOPLE,
                _LIST,
                Option("--note", {"metavar": "TEXT", "help": "why"}),
                _REGION,
                _BY,
            ),
        ),
        Command(
            name="list",
            help="List who is on the lists, and why",
            description="List who is on the suppression lists. Each form of a person has a line of its own.",
            module=f"{_MODULE}.list",
            options=(
                Option("--list", {"metavar": "NAME", "help": "this list only"}),
                Option("--numbers", {"action": "store_true", "help": "print whole numbers"}),
                Option("--ended", {"action": "store_true", "help": "entries that ended, too"}),
                Option("--json", {"action": "store_true", "help": "print JSON, for machines"}),
            ),
        ),
        Command(
            name="import",
            help="Put everybody in a file on a list",
            description="Put everybody in a CSV, JSON lines or Parquet file on a suppression list. To import a file "
            "twice changes nothing more. Rows that name nobody are told, and the exit code is 1; the others are done.",
            module=f"{_MODULE}.importing",
            options=(
                Option(
                    "path", {"metavar": "FILE", "help": "a file on this machine; .gz may follow its ending"}
                ),
                _LIST,
                Option(
                    "--recipient-field",
                    {
                        "metavar": "COLUMN",
                        "default": "phone",
                        "help": "the column with the number or id (default: phone)",
                    },
                ),
                _REASON,
                _UNTIL,
                _REGION,
                _BY,
                Option(
                    "--skip-invalid",
                    {"action": "store_true", "help": "count rows that name nobody, and succeed"},
                ),
            ),
        ),
    ),
)
