"""Where the bench sends to and keeps its ledgers: an emulator in its fast mode, and a database of each kind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from tests import servers
from tests.bench.sending import Target

PATIENCE = 20.0
_COMMAND = ("-m", "whatsapp_provider.emulator", "--port", "0", "--fast", "--sent-after", "never")
_AT_ONCE = ("--provisioning", "0", "--init", "0", "--launch", "0", "--scan-after", "0")


class Emulator:
    """An emulator in a process of its own, with one paired channel."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._url: str = facts["url"]
        self._http = requests.Session()
        self._http.trust_env = False
        account = {"authorization": f"Bearer {facts['partner_token']}"}
        wanted = {"name": "Bench", "projectId": "default"}
        made = self._ask("PUT", f"{facts['manager_url']}/channels", json=wanted, headers=account)
        self.target = Target(facts["gate_url"], facts["manager_url"], made["token"], made["id"])
        self._pair()

    def _pair(self) -> None:
        _, headers = self.target.post
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for path in ("/users/login", "/health"):
                told = self._http.get(self.target.gate_url + path, headers=headers, timeout=PATIENCE).json()
            if told.get("status", {}).get("text") == "AUTH":
                return
            time.sleep(0.05)
        raise RuntimeError("The emulator's channel was not paired in time.")

    def _ask(self, method: str, url: str, **options: Any) -> Any:
        answer = self._http.request(method, url, timeout=PATIENCE, **options)
        answer.raise_for_status()
        return answer.json()

    def wait_before_answers(self, seconds: float) -> None:
        """Answer sends after so long from now on."""
        self._ask("POST", f"{self._url}/_emulator/settings", json={"send_latency": seconds})

    def received(self) -> int:
        """Return how many messages phones have received: the truth."""
        return int(self._ask("GET", f"{self._url}/_emulator/state")["received"])


@contextmanager
def emulator() -> Iterator[Emulator]:
    """Run the emulator."""
    process = subprocess.Popen([sys.executable, *_COMMAND, *_AT_ONCE], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError("The emulator did not start.")
        yield Emulator(json.loads(line))
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def ledgers(folder: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the ledgers' URLs by the campaign's name, and of those that can't be how to get them.

    Their databases wait for the disk at each commit, as they do by default.
    """
    urls, absent = dict[str, str](), dict[str, str]()
    with ExitStack() as stack:
        # Not in the machine's own folder for such, which may be in memory, where a commit costs nothing.
        own = stack.enter_context(TemporaryDirectory(prefix="ledger-", dir=folder))
        urls["campaign_sqlite"] = f"sqlite:///{Path(own) / 'ledger.db'}"
        if servers.POSTGRES.available:
            urls["campaign_postgres"] = servers.new_schema(
                stack.enter_context(servers.postgres_server()), durable=True
            )
        else:
            absent["campaign_postgres"] = servers.POSTGRES.how_to_get
        if servers.MARIADB.available:
            urls["campaign_mariadb"] = stack.enter_context(servers.mariadb_server(durable=True))
        else:
            absent["campaign_mariadb"] = servers.MARIADB.how_to_get
        yield urls, absent
