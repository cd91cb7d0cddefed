"""The commands ``airflow whatsapp …``, and ``python -m whatsapp_provider …`` where Airflow takes none of a provider.

Airflow imports this module at each start of its command line. So it names the commands and loads nothing.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

NAME = "whatsapp"
_HELP = "Look after the WhatsApp provider"


@dataclass(frozen=True, slots=True)
class Option:
    """An option, for Airflow's parser and for argparse's.

    :param settings: keywords of ``ArgumentParser.add_argument``.
    """

    flag: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A command below ``whatsapp``.

    :param module: imported when the command is used; its ``main`` takes the parsed arguments and returns the
        exit code.
    """

    name: str
    help: str
    description: str
    module: str
    options: tuple[Option, ...]

    def run(self, arguments: argparse.Namespace) -> None:
        """Do it, and end the process with its exit code: Airflow does not look at what a command returns.

        :raises SystemExit: always.
        """
        raise SystemExit(import_module(self.module).main(arguments))


@dataclass(frozen=True, slots=True)
class Group:
    """Commands with a word in common."""

    name: str
    help: str
    commands: tuple[Command, ...]


def seconds(value: str) -> float:
    """Read a time-out of the command line.

    :raises argparse.ArgumentTypeError: unless it is more than nothing and not for ever.
    """
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of seconds above 0")
    return number


COMMANDS: tuple[Command | Group, ...] = (
    Command(
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
    ),
    Group(
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
                    Option(
                        "--by", {"metavar": "NAME", "help": "who looked (default: the user of this process)"}
                    ),
                    Option("--note", {"metavar": "TEXT", "help": "what is to be remembered of it"}),
                ),
            ),
        ),
    ),
)


def find(words: str) -> Command:
    """Return the command of that name, e.g. ``ledger upgrade``.

    :raises KeyError: if there is none.
    """
    return _BY_NAME[words]


def _by_name() -> dict[str, Command]:
    found: dict[str, Command] = {}
    for entry in COMMANDS:
        if isinstance(entry, Group):
            found |= {f"{entry.name} {command.name}": command for command in entry.commands}
        else:
            found[entry.name] = entry
    return found


_BY_NAME = _by_name()


def get_whatsapp_cli_commands() -> list[Any]:
    """Return the commands as Airflow (3.2 and newer) takes them from a provider."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

    def of(entry: Command | Group) -> Any:
        if isinstance(entry, Group):
            return GroupCommand(
                entry.name, entry.help, subcommands=[of(command) for command in entry.commands]
            )
        return ActionCommand(
            name=entry.name,
            help=entry.help,
            description=entry.description,
            func=entry.run,
            args=[Arg((option.flag,), **option.settings) for option in entry.options],
        )

    return [GroupCommand(name=NAME, help=_HELP, subcommands=[of(entry) for entry in COMMANDS])]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command without Airflow's command line.

    :raises SystemExit: always, with the exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m whatsapp_provider", description=_HELP)
    _add(parser, COMMANDS)
    parsed = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = parsed.run
    run(parsed)


def _add(parser: argparse.ArgumentParser, entries: Sequence[Command | Group]) -> None:
    below = parser.add_subparsers(required=True, metavar="COMMAND")
    for entry in entries:
        if isinstance(entry, Group):
            _add(below.add_parser(entry.name, help=entry.help), entry.commands)
            continue
        own = below.add_parser(entry.name, help=entry.help, description=entry.description)
        for option in entry.options:
            own.add_argument(option.flag, **option.settings)
        own.set_defaults(run=entry.run)
