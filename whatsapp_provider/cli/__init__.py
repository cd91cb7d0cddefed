"""The commands ``airflow whatsapp …``, and ``python -m whatsapp_provider …`` where Airflow takes none of a provider.

Airflow imports this module at each start of its command line. So it names the commands
(``commands/``) and loads nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from whatsapp_provider.cli.commands import COMMANDS
from whatsapp_provider.cli.commands.kinds import Command, Group

NAME = "whatsapp"
_HELP = "Look after the WhatsApp provider"


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
