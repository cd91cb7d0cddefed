"""A mapped task for each person, with Airflow's own HTTP operator: what its documentation shows for many calls.

About a kill: Airflow retries a task that died, and the operator knows nothing of what it sent; who was sent to and
not yet noted as a success gets it again. With ``retries=0`` nobody would, and nobody would be told who is missing.
"""

from __future__ import annotations

import csv
import json
import os
from datetime import timedelta

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import dag, get_current_context, task

#: How many there are must be known when the file is read: ``[core] max_map_length`` bounds each expansion.
RECIPIENTS = int(os.environ["PEERS_RECIPIENTS"])
LENGTH = int(os.environ["PEERS_MAP_LENGTH"])


@task
def bodies(start: int) -> list[str]:
    conf = get_current_context()["dag_run"].conf or {}
    with open(conf["audience"], newline="") as file:
        rows = list(csv.DictReader(file))[start : start + LENGTH]
    return [json.dumps({"to": row["phone"].lstrip("+"), "body": f"Hello {row['name']}"}) for row in rows]


@dag(schedule=None)
def mapped_http() -> None:
    for number, start in enumerate(range(0, RECIPIENTS, LENGTH)):
        HttpOperator.partial(
            task_id=f"send_{number}",
            http_conn_id="{{ dag_run.conf['conn_id'] }}",
            endpoint="messages/text",
            headers={"Content-Type": "application/json"},
            # Nobody reads the answers: a row less for each message.
            do_xcom_push=False,
            retries=1,
            retry_delay=timedelta(seconds=1),
        ).expand(data=bodies.override(task_id=f"bodies_{number}")(start))


mapped_http()
