"""``doctor``: look at what the provider needs, change nothing, say what to do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from whatsapp_provider.cli.airflow_context import airflows_connections, quiet
from whatsapp_provider.cli.doctor.findings import Finding, is_healthy
from whatsapp_provider.cli.doctor.report import as_json, as_text


def main(arguments: argparse.Namespace) -> int:
    """Print the findings and return the exit code: 1 with a problem, else 0."""
    with quiet(), airflows_connections():
        findings = examine(arguments.conn_id or (), arguments.timeout)
    sys.stdout.write((as_json if arguments.json else as_text)(findings) + "\n")
    return 0 if is_healthy(findings) else 1


def examine(conn_ids: Sequence[str], seconds: float) -> list[Finding]:
    """Return all findings.

    :param conn_ids: connections to look at besides those that can be listed.
    :param seconds: for each connection and database; they are asked side by side.
    """
    from whatsapp_provider.cli.doctor.connection import check_of
    from whatsapp_provider.cli.doctor.connections import CONNECTIONS, KnownConnections
    from whatsapp_provider.cli.doctor.ledger import LEDGER, look_at_ledger
    from whatsapp_provider.cli.doctor.looking import Check, look
    from whatsapp_provider.cli.doctor.plugin import PAGE, look_at_plugin
    from whatsapp_provider.cli.doctor.settings import SETTINGS, look_at_settings, look_at_triggerer
    from whatsapp_provider.cli.doctor.versions import VERSIONS, look_at_versions

    known = KnownConnections(conn_ids)
    first = look([Check(VERSIONS, look_at_versions), Check(CONNECTIONS, known.look)], seconds)
    rest = look(
        [
            *(check_of(conn_id) for conn_id in known.ids),
            Check(LEDGER, partial(look_at_ledger, known.has_database)),
            Check(PAGE, look_at_plugin),
            Check(SETTINGS, look_at_settings),
            Check(SETTINGS, look_at_triggerer),
        ],
        seconds,
    )
    return first + rest
