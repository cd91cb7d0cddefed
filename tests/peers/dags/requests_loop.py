"""A loop over ``requests`` in a task: what people write. With a session, as its documentation recommends.

About a kill: nothing notes how far it came, so Airflow's retry begins anew, and whoever had it gets it again.
"""

from __future__ import annotations

import csv
from datetime import timedelta

import requests
from airflow.sdk import Connection, dag, get_current_context, task


@dag(schedule=None)
def requests_loop() -> None:
    @task(retries=1, retry_delay=timedelta(seconds=1))
    def send() -> None:
        conf = get_current_context()["dag_run"].conf or {}
        gateway = Connection.get(conf["conn_id"])
        with requests.Session() as session, open(conf["audience"], newline="") as file:
            session.headers.update(gateway.extra_dejson)
            for row in csv.DictReader(file):
                message = {"to": row["phone"].lstrip("+"), "body": f"Hello {row['name']}"}
                answer = session.post(f"{gateway.host}/messages/text", json=message, timeout=30)
                answer.raise_for_status()

    send()


requests_loop()
