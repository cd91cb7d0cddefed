"""Airflow's Apprise notifier in a loop, with Apprise's own URL for Evolution API and a recipient in it.

About a kill: as with any loop, the retry begins anew. What its gateway refuses or leaves without an answer is another
matter, and not measured here: Apprise returns ``False``, Airflow's notifier drops that, and the task succeeds.
"""

from __future__ import annotations

import csv
from datetime import timedelta

from airflow.providers.apprise.hooks.apprise import AppriseHook
from airflow.providers.apprise.notifications.apprise import AppriseNotifier
from airflow.sdk import dag, get_current_context, task
from apprise import AppriseConfig


@dag(schedule=None)
def apprise_loop() -> None:
    @task(retries=1, retry_delay=timedelta(seconds=1))
    def send() -> None:
        context = get_current_context()
        conf = context["dag_run"].conf or {}
        hook = AppriseHook(conf["conn_id"])
        # A connection names fixed recipients; a personal text needs a URL for each person.
        url = hook.get_config_from_conn(hook.get_connection(conf["conn_id"]))["path"]
        with open(conf["audience"], newline="") as file:
            for row in csv.DictReader(file):
                person = AppriseConfig()
                person.add_config(f"{url}/{row['phone'].lstrip('+')}", format="text")
                AppriseNotifier(body=f"Hello {row['name']}", config=person).notify(context)

    send()


apprise_loop()
