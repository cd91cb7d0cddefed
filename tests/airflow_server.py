"""A real Airflow for tests: DAG files written from text, a server in a folder of the test."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.marker import MARKER


def airflow_with_dags(folder: Path, dags: Mapping[str, str], **options: Any) -> AirflowServer:
    """Return a server, not yet started, whose DAG folder holds these files.

    ``options`` are those of :class:`AirflowServer`: connections, config, database, and so on::

        with airflow_with_dags(tmp_path, {"hello.py": HELLO}) as server:
            server.wait_run(server.trigger("hello"))
    """
    dags_folder = folder / "dags"
    dags_folder.mkdir(parents=True, exist_ok=True)
    for name, source in dags.items():
        (dags_folder / name).write_text(textwrap.dedent(source))
    return AirflowServer(folder / "airflow", dags_folder, **options)


def processes_with_marker(run_id: str) -> list[str]:
    """Return the command of every living process of a run, found without the code under test."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == run_id and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
