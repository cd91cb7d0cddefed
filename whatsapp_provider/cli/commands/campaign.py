"""``airflow whatsapp campaign …``."""

from __future__ import annotations

from whatsapp_provider.cli.commands.kinds import Command, Group, Option, moment

_CAMPAIGN = Option("--campaign", {"metavar": "ID", "required": True, "help": "the campaign's id"})
_JSON = Option("--json", {"action": "store_true", "help": "print JSON, for machines"})
_BY = (
    Option("--by", {"metavar": "NAME", "help": "who does it (default: the user of this process)"}),
    Option("--note", {"metavar": "TEXT", "help": "why; kept with who did it and when"}),
)


def _act(name: str, help: str, description: str, *more: Option) -> Command:  # noqa: A002 - as argparse has it
    return Command(
        name=name,
        help=help,
        description=description,
        module=f"whatsapp_provider.cli.campaign.{name}",
        options=(_CAMPAIGN, *more, *_BY, _JSON),
    )


CAMPAIGN = Group(
    name="campaign",
    help="Look at campaigns; pause, resume, cancel them",
    commands=(
        Command(
            name="list",
            help="List campaigns, the newest first",
            description="List campaigns with their state and how many messages are where, the newest first.",
            module="whatsapp_provider.cli.campaign.list",
            options=(
                Option(
                    "--limit",
                    {"metavar": "NUMBER", "type": int, "default": 20, "help": "how many (default: 20)"},
                ),
                Option("--single", {"action": "store_true", "help": "single messages, too"}),
                _JSON,
            ),
        ),
        Command(
            name="show",
            help="Show one campaign and what people did to it",
            description="Show where a campaign is, what keeps it from sending, and who did what to it.",
            module="whatsapp_provider.cli.campaign.show",
            options=(_CAMPAIGN, _JSON),
        ),
        _act(
            "pause",
            "Hold a campaign back until somebody resumes it",
            "Hold a campaign back, from the next message on. No retry of its task ends that: 'campaign resume' does.",
        ),
        _act(
            "resume",
            "Let a campaign go on that a person paused",
            "Let a campaign go on that a person paused. A task that waits for it notices within half a minute.",
        ),
        _act(
            "cancel",
            "End a campaign for good",
            "End a campaign for good, from the next message on. Whom it did not reach is noted as cancelled; its task "
            "fails. What is under way or in doubt is settled as ever.",
        ),
        _act(
            "resend",
            "Have those sent to again whom the gateway refused, or reported as failed",
            "Plan again whom the gateway refused, or took and reported as failed later. The next run of the "
            "campaign's task sends to them.",
        ),
        _act(
            "expire",
            "Set the moment after which nothing more of a campaign is sent",
            "Set the moment after which nothing more of a campaign is sent, or end it now. Whom it did not reach is "
            "noted as expired; its task succeeds and says so.",
            Option(
                "--at",
                {
                    "metavar": "TIME",
                    "type": moment,
                    "help": "e.g. 2030-03-31T18:00+02:00; UTC where no offset is given (default: now)",
                },
            ),
        ),
    ),
)
