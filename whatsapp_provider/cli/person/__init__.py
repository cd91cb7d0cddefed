"""``person``: what the ledger holds about one person, and its end."""

from __future__ import annotations

import argparse
import sys

from whatsapp_provider.campaigns.ledger.people import form_of
from whatsapp_provider.errors import ConfigurationError


def person_of(arguments: argparse.Namespace) -> str:
    """Return the canonical form of who is meant, asked for where it was not given.

    :raises ConfigurationError: if there was no answer.
    :raises RecipientError: if it is neither a number nor an id.
    """
    given = arguments.person
    if given is None:
        given = answer("Number or id of the person: ")
    return form_of(given, arguments.region)


def confirm(question: str) -> None:
    """Ask somebody who sits there.

    :raises ConfigurationError: if nobody does, or they don't say yes.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError("Nothing was changed: nobody is there to be asked; --yes does it without.")
    if answer(f"{question} [y/N] ").lower() not in {"y", "yes"}:
        raise ConfigurationError("Nothing was changed.")


def answer(question: str) -> str:
    """Return a line of standard input; what is asked goes to standard error, beside what is printed."""
    if sys.stdin.isatty():
        sys.stderr.write(question)
        sys.stderr.flush()
    return sys.stdin.readline().strip()
