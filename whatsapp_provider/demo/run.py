"""The demo from start to end: Airflow runs the example that a gateway can do, and the phones are counted."""

from __future__ import annotations

import csv
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.emulator import EmulatorProcess
from whatsapp_provider.demo.encore import begin_round
from whatsapp_provider.demo.errors import DemoError, InterruptedDemoError
from whatsapp_provider.demo.examples import copy_examples
from whatsapp_provider.demo.gateways import DEFAULT_GATEWAY, DemoGateway, demo_gateway
from whatsapp_provider.demo.processes import Supervisor
from whatsapp_provider.demo.reporter import Reporter
from whatsapp_provider.demo.rest import RunRef
from whatsapp_provider.demo.settings import USERNAME
from whatsapp_provider.demo.signals import interruptible, overall_deadline
from whatsapp_provider.demo.story import Follower, tell_campaign, tell_received, tell_tasks, tell_webhooks
from whatsapp_provider.demo.tales import Tale

CONN_ID = "whatsapp_default"
_PAIRING_TASK = "wait_connected"
_CAMPAIGN_TASK = "send_campaign"
_AUDIENCE_SIZE = 12
_LOOK_SECONDS = 1.0
# On this machine: what the emulator calls back must not leave it.
_TICKS_SECONDS = 10.0
# The real service takes about a minute and a half for these two.
_HURRIED = {"provisioning_seconds": 8.0, "launch_seconds": 5.0}


@dataclass(frozen=True)
class DemoOptions:
    """What the command line asks for."""

    gateway: str = DEFAULT_GATEWAY
    up: bool = False
    home: Path | None = None
    keep: bool = False
    deadline: float = 600.0


def run_demo(options: DemoOptions, reporter: Reporter) -> None:
    """Tell the whole story, and with ``up`` wait at its end; raises DemoError when it goes wrong."""
    gateway = demo_gateway(options.gateway)
    home = options.home or Path(tempfile.mkdtemp(prefix="whatsapp-demo-"))
    home = home.resolve()
    try:
        with interruptible(), Supervisor(home / "logs" / "components") as supervisor:
            with overall_deadline(options.deadline):
                server = _start(options, gateway, home, supervisor, reporter)
            if options.up:
                _stay_up(server, reporter)
            reporter.step("Stopping Airflow and the emulator")
    except BaseException:
        reporter.line(f"\nDatabase, DAGs and logs: {home}")
        raise
    reporter.step("Everything is stopped")
    _tidy(options, home, reporter)


def _start(
    options: DemoOptions, gateway: DemoGateway, home: Path, supervisor: Supervisor, reporter: Reporter
) -> AirflowServer:
    dags_folder = home / "dags"
    copy_examples(dags_folder)
    reporter.step(f"Starting the emulator for the gateway {options.gateway}")
    emulator = EmulatorProcess(supervisor, home)
    emulator.start()
    emulator.configure(**_HURRIED, **gateway.settings(emulator.inbox_url))
    reporter.step(f"Emulator at {emulator.addresses['url']}; starting Airflow (half a minute)")
    server = AirflowServer(
        home,
        dags_folder,
        connections={CONN_ID: gateway.connection(emulator.addresses)},
        supervisor=supervisor,
    )
    server.start()
    server.wait_healthy()
    reporter.step(f"Airflow is healthy at {server.url}")
    conf = gateway.tale.run_conf(_audience(home), emulator.inbox_url)
    ref = server.trigger(gateway.tale.dag_id, conf)
    _follow(server, emulator, gateway.tale, ref, reporter)
    _check_phones(emulator, gateway, reporter)
    if options.up and (creating_task := gateway.tale.creating_task):
        begin_round(server, emulator, home, server.rest.xcom(ref, creating_task), reporter)
    return server


def _follow(
    server: AirflowServer, emulator: EmulatorProcess, tale: Tale, ref: RunRef, reporter: Reporter
) -> None:
    reporter.step(f"Running the DAG {ref.dag_id}")
    creating_task = tale.creating_task
    if creating_task is None:
        follower = Follower(reporter)
    else:
        follower = Follower(reporter, _PAIRING_TASK, lambda: _scan(server, emulator, ref, creating_task))
    try:
        run = server.wait_run(ref, timeout=480.0, on_poll=follower)
    finally:
        with suppress(OSError, DemoError):  # the reason why it went wrong is worth more than the table
            tell_tasks(reporter, server.rest.tasks(ref))
    reporter.line(f"  {'the whole run':<24} {run['state']:<12} {run['duration']:6.1f} s")
    tell_campaign(reporter, server.rest.xcom(ref, _CAMPAIGN_TASK))


def _scan(server: AirflowServer, emulator: EmulatorProcess, ref: RunRef, creating_task: str) -> str | None:
    """Open the pairing page, as a person would, and let a phone scan what it shows."""
    channel = server.rest.xcom(ref, creating_task)
    server.rest.look_at_pairing_page(CONN_ID, channel["channel_id"])
    return emulator.scan_qr_code()


def _check_phones(emulator: EmulatorProcess, gateway: DemoGateway, reporter: Reporter) -> None:
    received = emulator.received_counts()
    tell_received(reporter, received)
    expected = _AUDIENCE_SIZE + gateway.tale.trials
    # The phones' ticks follow the messages, and each is a webhook to the address that was configured.
    tell_webhooks(reporter, emulator.wait_for_events(gateway.receipt_event, expected, _TICKS_SECONDS))
    if len(received) != expected or set(received.values()) != {1}:
        raise DemoError("The phones did not get one message each; the truth log above says what they got.")


def _audience(home: Path) -> str:
    """Write the people of the campaign to a file, and return its path."""
    audience = home / "audience.csv"
    with audience.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["phone", "name", "order"])
        rows.writerows(
            [f"+1555000{1000 + number}", f"Guest {number}", f"2026-{number:04}"]
            for number in range(_AUDIENCE_SIZE)
        )
    return str(audience)


def _stay_up(server: AirflowServer, reporter: Reporter) -> None:
    reporter.heading("Airflow is yours until Ctrl-C")
    reporter.line(f"  address   {server.url}")
    reporter.line(f"  login     {USERNAME}")
    reporter.line(f"  password  {server.password}")
    try:
        while True:
            server.supervisor.check()
            time.sleep(_LOOK_SECONDS)
    except InterruptedDemoError:
        reporter.line()


def _tidy(options: DemoOptions, home: Path, reporter: Reporter) -> None:
    """Leave the logs only, unless the folder is the person's own or is to be kept."""
    if options.keep or options.home is not None:
        reporter.line(f"Database, DAGs and logs: {home}")
        return
    for entry in home.iterdir():
        if entry.name != "logs":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    reporter.line(f"Logs of the tasks and of each component: {home / 'logs'}")
