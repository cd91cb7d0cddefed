"""``person erase``: erase one person."""

from __future__ import annotations

import argparse
import getpass
import json
from dataclasses import asdict

from whatsapp_provider.campaigns.ledger.erasure import Erasure
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.cli.ledger import with_ledger
from whatsapp_provider.cli.person import confirm, person_of


def main(arguments: argparse.Namespace) -> int:
    """Erase them, and return the exit code."""

    def erase(ledger: Ledger) -> str:
        person = person_of(arguments)
        if not arguments.yes:
            there = ledger.disclose(person)
            confirm(f"Messages to this person in the ledger: {len(there['messages'])}. Erase the person?")
        done = ledger.erase(person, by=arguments.by or getpass.getuser(), suppress=not arguments.no_suppress)
        return json.dumps(asdict(done), indent=2) if arguments.json else _text(done, arguments.no_suppress)

    return with_ledger(erase)


def _text(done: Erasure, may_be_reached: bool) -> str:
    lines = [
        f"Erased: messages {done.deliveries} (not sent because of it {done.not_sent}, in doubt {done.doubts}), "
        f"entries of suppression lists {done.entries}, links between forms {done.links}, answers of gateways "
        f"{done.checks}, notes {done.notes}.",
        "They may be written to again." if may_be_reached else "Their hash is on the list opt_out.",
    ]
    if done.named_by:
        lines.append(f"Campaigns with a number of theirs in their id: {done.named_by}. It stays there.")
    return "\n".join(lines)
