"""What ``--up`` leaves for the person at the screen: a planned campaign over two gateways that waits for their yes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.emulator import EmulatorProcess
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.demo.reporter import Reporter
from whatsapp_provider.demo.rest import Json

DAG_ID, FOLLOWER = "whatsapp_planned_campaign", "whatsapp_campaign_follow_up"
#: Its channel needs no phone to be paired.
SECOND = "whatscloud"
_ASKS_WITHIN = 90.0
#: Before Airflow 3.3 such a task waits in the triggerer.
_ASKING = frozenset({"awaiting_input", "deferred"})


def begin_round(
    server: AirflowServer, emulator: EmulatorProcess, home: Path, channel: Json, reporter: Reporter
) -> None:
    """Plan the campaign and let it wait for an approval.

    :param channel: the first channel, as its task returned it.
    """
    crm, report = home / "crm.db", home / "report.csv"
    _write_customers(crm)
    server.rest.put_connection("crm", {"conn_type": "sqlite", "host": str(crm)})
    server.rest.put_connection("whatsapp_second", connection_fields(SECOND, emulator.addresses))
    server.wait_dag(FOLLOWER)
    server.rest.unpause(FOLLOWER)
    conf = {"channel": json.dumps(channel), "pace": "unlimited", "report": f"file://{report}"}
    ref = server.trigger(DAG_ID, conf)
    server.wait_task(ref, "approve", sorted(_ASKING), _ASKS_WITHIN)
    reporter.heading("A campaign over two gateways waits for your yes")
    reporter.line(f"  approve   {server.url}/dags/{DAG_ID}/runs/{ref.run_id}/tasks/approve/required_actions")
    reporter.line(f"  report    {report} (written when it is sent; {FOLLOWER} runs then)")


def _write_customers(path: Path) -> None:
    """Write a small CRM: two who live elsewhere, one who did not agree."""
    with closing(sqlite3.connect(path)) as crm, crm:
        crm.execute("CREATE TABLE IF NOT EXISTS customers (phone TEXT, name TEXT, city TEXT, opted_in TEXT)")
        crm.execute("DELETE FROM customers")
        rows = [(f"+1555000{3000 + number}", f"Guest {number}", "Lisbon", "yes") for number in range(20)]
        rows += [
            ("+15550004001", "Rui", "Lisbon", "no"),
            ("+15550004002", "Eva", "Porto", "yes"),
            ("+15550004003", "Leo", "Porto", "yes"),
        ]
        crm.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", rows)
