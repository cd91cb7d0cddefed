"""Where the peers compete: one Airflow with a PostgreSQL behind it, and the emulated phones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.phones import Phones
from tests.peers.settings import KILLED, LATENCY, LOOPS, MAP_LENGTH, MAPPED, UNDISTURBED, Audience, Peer
from tests.servers import postgres_server
from whatsapp_provider.demo.airflow import AirflowServer
from whatsapp_provider.demo.processes import Supervisor
from whatsapp_provider.demo.rest import Json, RunRef

DAGS = Path(__file__).parent / "dags"
#: Airflow's defaults of how much runs at once.
PARALLELISM = 32
CONFIG = {
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "16",
    "AIRFLOW__CORE__MAX_MAP_LENGTH": str(MAP_LENGTH),
    # A lost worker is noticed in seconds and not in minutes; the guarantee is the same, the waiting is not.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__API__MAXIMUM_PAGE_LIMIT": "1000",
    # The emulator shows at once in its history what it sent.
    "AIRFLOW__WHATSAPP__SETTLE_SECONDS": "5",
}


@dataclass(frozen=True)
class Site:
    """Everything that runs.

    :param fast: phones for measuring rates; plain texts of Whapi's dialect are counted and kept nowhere.
    :param full: phones for judging, with a history that can be asked.
    """

    server: AirflowServer
    fast: Phones
    full: Phones
    audience: Audience

    def phones(self, phase: str) -> Phones:
        """Return the phones that a phase sends to."""
        return self.fast if phase == UNDISTURBED else self.full

    def start(self, peer: Peer, phase: str) -> RunRef:
        """Start a peer's run on a channel of its own."""
        channel = peer.channel(phase)
        phones = self.phones(phase)
        connect = {
            "http": phones.http,
            "apprise": phones.apprise,
            "whapi": phones.whapi,
            "evolution": phones.evolution,
        }[peer.line]
        self.server.rest.put_connection(channel, connect(channel))
        return self.server.trigger(peer.dag_id, {"conn_id": channel, "audience": str(self.audience.file)})

    def task_instances(self, ref: RunRef, state: str) -> list[Json]:
        """Return a run's task instances in a state: pages of a thousand, oldest first."""
        found: list[Json] = []
        while True:
            path = f"{ref.path}/taskInstances?state={state}&limit=1000&offset={len(found)}"
            page = self.server.rest.call("GET", path)["task_instances"]
            found += page
            if len(page) < 1000:
                return found


@contextmanager
def a_site(folder: Path, recipients: int) -> Iterator[Site]:
    """Start everything, and end it with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    audience = Audience.write(folder / "people.csv", recipients)
    peers = (*LOOPS, MAPPED)
    config = {
        **CONFIG,
        "PEERS_RECIPIENTS": str(recipients),
        "PEERS_MAP_LENGTH": str(MAP_LENGTH),
    }
    with postgres_server() as database, Supervisor(folder / "logs") as supervisor:
        fast, full = (
            Phones(
                supervisor,
                folder,
                [f"{peer.gateway}:{peer.channel(phase)}" for peer in peers],
                latency=LATENCY,
                fast=phase == UNDISTURBED,
            )
            for phase in (UNDISTURBED, KILLED)
        )
        server = AirflowServer(
            folder / "airflow",
            DAGS,
            # One driver for both: Airflow's own choice for the second is one more to install.
            config={**config, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database},
            database=database,
            parallelism=PARALLELISM,
            supervisor=supervisor,
        )
        with server:
            yield Site(server, fast, full, audience)
