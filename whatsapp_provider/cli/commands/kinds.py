"""What a command is, for Airflow's parser and for argparse's."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any


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


def moment(value: str) -> float:
    """Read a moment of the command line; without an offset it is UTC.

    :raises argparse.ArgumentTypeError: unless it is an ISO date and time.
    """
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is no date and time like 2030-03-31T18:00+02:00"
        ) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
