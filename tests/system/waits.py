"""Many waits at once under a real Airflow: channels to wait for, the DAG, and what the triggerer was like."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.engine.url import make_url

from tests.airflow_server import airflow_with_dags
from tests.system.tls_line import TlsLine, tls_before
from tests.system.world import CONN_ID, World
from tests.wire.certificate import self_signed
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.rest import RunRef
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread

BLOCKED = "async thread was blocked"
CHECKOUT = Path(__file__).parents[2]
DAG = """
    from __future__ import annotations

    import json
    from pathlib import Path

    from airflow.sdk import dag

    from tests.system.triggerer_probe import ProbeOperator
    from whatsapp_provider.sensors.channel import WhatsAppChannelConnectedSensor

    FOLDER = Path(__file__).parent
    CHANNELS = json.loads((FOLDER / "channels.json").read_text())


    @dag(schedule=None, max_active_tasks=2000)
    def {dag_id}():
        ProbeOperator(task_id="probe", folder=str(FOLDER))
        WhatsAppChannelConnectedSensor.partial(
            task_id="wait", deferrable=True, retries=0, timeout=1200, {options}
        ).expand(channel=CHANNELS[:{count}])


    {dag_id}()
"""


@dataclass(frozen=True)
class WaitingWorld(World):
    """An emulator behind TLS with many channels that show a QR code."""

    channels: list[dict[str, str]]
    line: TlsLine
    certificate: Path

    def pair(self, indexes: Iterable[int]) -> None:
        """Let a phone scan each of these channels."""
        for index in indexes:
            self.ask("POST", "/_emulator/scan", {"channel_id": self.channels[index]["channel_id"]})

    def unpair(self) -> None:
        """Let every channel show a QR code again."""
        for channel in self.channels:
            self.ask("POST", "/_emulator/channel", {"channel_id": channel["channel_id"], "state": "QR"})

    def looks(self) -> int:
        """Return how often a channel was looked at."""
        counts = self.ask("GET", "/_emulator/requests")["counts"]
        return sum(count for request, count in counts.items() if request.endswith("/health"))


@contextmanager
def a_waiting_world(folder: Path, count: int) -> Iterator[WaitingWorld]:
    """Run an emulator with ``count`` channels that wait for a phone."""
    quick = {"provisioning_seconds": 0.0, "init_seconds": 0.0, "launch_seconds": 0.0, "qr_lifetime": 3600.0}
    emulator = Emulator(EmulatorSettings(creation_limit=count, **quick), clock=RealClock())
    account = emulator.whapi
    made = [
        account.create_channel({"name": f"channel {number}", "projectId": "default"})
        for number in range(count)
    ]
    for channel in made:
        channel.provisioned = True
        channel.show_qr()
    refs = [{"gateway": "whapi", "channel_id": channel.id, "name": channel.facts["name"]} for channel in made]
    context = self_signed(folder)
    with serve_in_thread(emulator) as server, tls_before(server.url, context) as line:
        connection = {
            "conn_type": "whapi",
            "host": f"{line.url}/whapi/gate",
            "password": server.facts()["partner_token"],
            "extra": {"manager_url": f"{line.url}/whapi/manager", "timeout": 10.0},
        }
        yield WaitingWorld(server.url, connection, made[0].id, {}, refs, line, folder / "certificate.pem")


def airflow_that_waits(
    folder: Path,
    world: WaitingWorld,
    dags: dict[str, tuple[int, str]],
    database: str | None = None,
    **options: Any,
) -> AirflowServer:
    """Return an Airflow with a DAG of mapped waits for each entry: its name, how many, and sensor arguments."""
    config = {"PYTHONPATH": str(CHECKOUT), "SSL_CERT_FILE": str(world.certificate)}
    if database:
        config["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] = database
    (folder / "dags").mkdir(parents=True)
    (folder / "dags" / "channels.json").write_text(json.dumps(world.channels))
    sources = {
        f"{dag_id}.py": DAG.format(dag_id=dag_id, count=count, options=arguments)
        for dag_id, (count, arguments) in dags.items()
    }
    return airflow_with_dags(
        folder, sources, connections={CONN_ID: world.connection}, config=config, database=database, **options
    )


def defer_by_hand(server: AirflowServer, ref: RunRef, world: WaitingWorld, **wait: Any) -> int:
    """Put every task of the run into the triggerer; Airflow without a scheduler would never start them."""
    order = {
        "run_id": ref.run_id,
        "folder": str(server.settings.dags_folder),
        "wait": {"whatsapp_conn_id": CONN_ID, "goal": "connected", **wait},
        "channels": world.channels,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.park"],
        env=server.environment,
        input=json.dumps(order),
        text=True,
        capture_output=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


class Database:
    """Airflow's own, read beside it: its REST API gives 100 tasks at once."""

    def __init__(self, server: AirflowServer) -> None:
        url = server.settings.database or f"sqlite:///{server.settings.home / 'airflow.db'}"
        self._engine: Engine = create_engine(make_url(url))

    def states(self, ref: RunRef) -> Counter[str]:
        """Return how many waits of a run are in each state."""
        query = "SELECT state, count(*) FROM task_instance WHERE run_id = :run AND task_id = 'wait' GROUP BY state"
        with self._engine.connect() as connection:
            rows = connection.execute(text(query), {"run": ref.run_id}).all()
        return Counter({state or "none": count for state, count in rows})

    def tries(self, ref: RunRef) -> Counter[int]:
        """Return how many waits of a run took how many tries."""
        query = (
            "SELECT try_number, count(*) FROM task_instance WHERE run_id = :run AND task_id = 'wait' "
            "GROUP BY try_number"
        )
        with self._engine.connect() as connection:
            rows = connection.execute(text(query), {"run": ref.run_id}).all()
        return Counter({int(tries): int(count) for tries, count in rows})

    def deferred(self, ref: RunRef) -> set[int]:
        """Return the map indexes of the waits that are deferred and have a trigger's row."""
        query = (
            "SELECT t.map_index FROM task_instance t JOIN trigger r ON r.id = t.trigger_id "
            "WHERE t.run_id = :run AND t.task_id = 'wait' AND t.state = 'deferred'"
        )
        with self._engine.connect() as connection:
            return set(connection.execute(text(query), {"run": ref.run_id}).scalars())

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()


@dataclass(frozen=True)
class Insight:
    """What the probe saw in the triggerer."""

    entries: Sequence[dict[str, Any]]

    @classmethod
    def read(cls, server: AirflowServer) -> Insight:
        """Read the probe's file."""
        file = server.settings.dags_folder / "probe.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return cls([json.loads(line) for line in lines])

    @property
    def has_census(self) -> bool:
        """Whether TLS contexts and pools were counted."""
        return any("contexts" in entry for entry in self.entries)

    def with_waits(self, count: int) -> Insight:
        """Return what was seen while at least so many waits were under way."""
        return Insight([entry for entry in self.entries if entry["waits"] >= count])

    def most(self, name: str) -> float:
        """Return the highest value of one kind."""
        return max(entry[name] for entry in self.entries if name in entry)

    def lag(self, quantile: float, kind: str = "lags") -> float:
        """Return the loop's lag in seconds; ``1.0`` is the longest.

        :param kind: ``busy`` for the CPU time that the loop itself spent between two ticks: what other processes take
            from it on a busy machine does not count.
        """
        lags = sorted(lag for entry in self.entries for lag in entry[kind])
        return lags[min(len(lags) - 1, int(quantile * len(lags)))]

    def share_of_a_core(self, name: str) -> float:
        """Return the CPU time used in each second between the first and the last entry."""
        first, last = self.entries[0], self.entries[-1]
        return float((last[name] - first[name]) / (last["at"] - first["at"]))

    def told(self) -> str:
        """Say it in a few lines."""
        lag, busy = [[self.lag(part, kind) for part in (0.5, 0.99, 1.0)] for kind in ("lags", "busy")]
        lines = [
            "{:.0f} waits in the triggerer, seen {} times:".format(self.most("waits"), len(self.entries)),
            "  the loop's lag: median {:.3f}, p99 {:.3f}, most {:.3f} s".format(*lag),
            "  its own work between two ticks: median {:.3f}, p99 {:.3f}, most {:.3f} s".format(*busy),
        ]
        lines.append(f"  and beside it {self.most('rubbish'):.3f} s at most for one garbage collection")
        for process, cpu, rss in (
            ("runner", "cpu", "rss"),
            ("supervisor", "supervisor_cpu", "supervisor_rss"),
        ):
            megabytes = self.most(rss) / 2**20
            lines.append(f"  {process}: {self.share_of_a_core(cpu):.0%} of a core, {megabytes:.0f} MB")
        counted = [self.most(name) for name in ("contexts", "clients", "wires")]
        lines.append("  {} TLS contexts, {} pools, {} origins".format(*counted))
        return "\n".join(lines)


def triggerer_log(server: AirflowServer) -> str:
    """Return what the triggerer itself has logged."""
    return (server.settings.home / "logs" / "components" / "triggerer.log").read_text(errors="replace")
