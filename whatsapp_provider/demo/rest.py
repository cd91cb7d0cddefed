"""A small client of Airflow's REST API, with the standard library only.

It is for the demo and the tests; operators and hooks don't use it.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whatsapp_provider.demo.errors import RestError

Json = dict[str, Any]
_RENEWED_AFTER = 3600.0


@dataclass(frozen=True)
class RunRef:
    """Which run of which DAG."""

    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        """The run's address under ``/api/v2``."""
        return f"/dags/{quote(self.dag_id)}/dagRuns/{quote(self.run_id)}"

    def task_path(self, task_id: str, map_index: int = -1) -> str:
        """Return the address of one task instance of the run."""
        mapped = f"/{map_index}" if map_index >= 0 else ""
        return f"{self.path}/taskInstances/{quote(task_id)}{mapped}"


class JsonClient:
    """Sends JSON to one address of this machine and reads JSON back; proxies don't apply."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def request(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = {}) -> Any:
        """Return the decoded answer, or None for an empty one; an error status raises RestError."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Accept": "application/json", **headers}
        if data is not None:
            sent["Content-Type"] = "application/json"
        url = self.url + path
        request = urllib.request.Request(url, data=data, method=method, headers=sent)  # noqa: S310 - our own server
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise RestError(method, path, error.code, error.read().decode(errors="replace")) from None
        return json.loads(content) if content else None


class AirflowRest:
    """The calls that the demo and the tests need, each a line or a few."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._client = JsonClient(url)
        self._login = {"username": username, "password": password}
        self._token = ""
        self._token_until = 0.0

    def token(self) -> str:
        """Return a valid access token, asking for a new one when the last is old."""
        if time.monotonic() > self._token_until:
            answer = self._client.request("POST", "/auth/token", self._login)
            self._token = answer["access_token"]
            self._token_until = time.monotonic() + _RENEWED_AFTER
        return self._token

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call any path below ``/api/v2`` as the admin user."""
        return self._client.request(
            method, f"/api/v2{path}", body, {"Authorization": f"Bearer {self.token()}"}
        )

    def health(self) -> Json:
        """Return the health of each component; it needs no login."""
        answer: Json = self._client.request("GET", "/api/v2/monitor/health")
        return answer

    def put_connection(self, conn_id: str, fields: Mapping[str, Any]) -> None:
        """Create the connection, or change it where it exists."""
        body: Json = {"connection_id": conn_id, **fields}
        if isinstance(body.get("extra"), Mapping):
            body["extra"] = json.dumps(body["extra"])
        try:
            self.call("POST", "/connections", body)
        except RestError as error:
            if error.status != 409:
                raise
            self.call("PATCH", f"/connections/{quote(conn_id)}", body)

    def look_at_pairing_page(self, conn_id: str, channel: str) -> Json:
        """Return what the pairing page shows of a channel; a gateway may draw a QR code only when one looks."""
        path = f"/whatsapp/api/pairing?conn_id={quote(conn_id)}&channel={quote(channel)}"
        answer: Json = self._client.request("GET", path, None, {"Authorization": f"Bearer {self.token()}"})
        return answer

    def has_dag(self, dag_id: str) -> bool:
        """Tell whether Airflow has read the DAG yet."""
        try:
            self.call("GET", f"/dags/{quote(dag_id)}")
        except RestError as error:
            if error.status == 404:
                return False
            raise
        return True

    def import_errors(self) -> dict[str, str]:
        """Return the DAG files that Airflow could not import, each with its traceback."""
        errors = self.call("GET", "/importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def unpause(self, dag_id: str) -> None:
        """Let the DAG run."""
        self.call("PATCH", f"/dags/{quote(dag_id)}?update_mask=is_paused", {"is_paused": False})

    def trigger(
        self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None
    ) -> RunRef:
        """Unpause the DAG and start a run of it now."""
        self.unpause(dag_id)
        run_id = run_id or f"manual_{uuid.uuid4().hex[:12]}"
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf or {})}
        answer = self.call("POST", f"/dags/{quote(dag_id)}/dagRuns", body)
        return RunRef(dag_id, answer["dag_run_id"])

    def run(self, ref: RunRef) -> Json:
        """Return the run: ``state``, ``start_date``, ``end_date``, ``duration``, ``conf`` and more."""
        answer: Json = self.call("GET", ref.path)
        return answer

    def tasks(self, ref: RunRef) -> list[Json]:
        """Return the run's task instances, the expanded ones of mapped tasks too."""
        answer: list[Json] = self.call("GET", f"{ref.path}/taskInstances?limit=1000")["task_instances"]
        return answer

    def task(self, ref: RunRef, task_id: str, map_index: int = -1) -> Json:
        """Return one task instance: ``state``, ``try_number``, ``pid``, ``rendered_fields`` and more."""
        answer: Json = self.call("GET", ref.task_path(task_id, map_index))
        return answer

    def rendered_fields(self, ref: RunRef, task_id: str, map_index: int = -1) -> Json:
        """Return the template fields as Airflow stored them."""
        answer: Json = self.task(ref, task_id, map_index)["rendered_fields"]
        return answer

    def logs(self, ref: RunRef, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of one try as text, one event a line."""
        return "\n".join(_log_line(entry) for entry in self._log_entries(ref, task_id, try_number, map_index))

    def failure(self, ref: RunRef, task: Json) -> str:
        """Return the last exception in the log of a task instance's last try, or nothing."""
        entries = self._log_entries(ref, task["task_id"], task["try_number"], task["map_index"])
        details = [
            detail
            for entry in entries
            if isinstance(entry, dict)
            for detail in entry.get("error_detail") or ()
        ]
        return f"{details[-1]['exc_type']}: {details[-1]['exc_value']}" if details else ""

    def _log_entries(self, ref: RunRef, task_id: str, try_number: int, map_index: int) -> list[Any]:
        path = f"{ref.task_path(task_id)}/logs/{try_number}?full_content=true&map_index={map_index}"
        content: list[Any] = self.call("GET", path)["content"]
        return content

    def xcom(self, ref: RunRef, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Return an XCom's value; JSON is decoded."""
        path = f"{ref.task_path(task_id)}/xcomEntries/{quote(key)}?map_index={map_index}&deserialize=true"
        return self.call("GET", path)["value"]

    def approve(self, ref: RunRef, task_id: str) -> None:
        """Say yes to a task that asks a person."""
        answer = {"chosen_options": ["Approve"], "params_input": {}}
        self.call("PATCH", f"{ref.task_path(task_id)}/-1/hitlDetails", answer)

    def clear(self, ref: RunRef, task_ids: Sequence[str], **options: Any) -> Json:
        """Clear tasks of the run so that they run again; further options go to Airflow as they are."""
        body = {
            "dag_run_id": ref.run_id,
            "task_ids": list(task_ids),
            "dry_run": False,
            "only_failed": False,
            "reset_dag_runs": True,
            **options,
        }
        answer: Json = self.call("POST", f"/dags/{quote(ref.dag_id)}/clearTaskInstances", body)
        return answer

    def patch_task(self, ref: RunRef, task_id: str, body: Mapping[str, Any], map_index: int = -1) -> Any:
        """Change a task instance, for example ``{"new_state": "failed"}``."""
        return self.call("PATCH", ref.task_path(task_id, map_index), dict(body))

    def patch_run(self, ref: RunRef, body: Mapping[str, Any]) -> Any:
        """Change a run, for example ``{"state": "failed"}``."""
        return self.call("PATCH", ref.path, dict(body))


def quote(part: str) -> str:
    """Quote one part of a path: run ids hold ``+`` and ``:``."""
    return urllib.parse.quote(part, safe="")


def task_name(task: Json) -> str:
    """Return the task's id, with its index when it is one of several."""
    index = task["map_index"]
    name: str = task["task_id"]
    return name if index < 0 else f"{name}[{index}]"


def _log_line(entry: object) -> str:
    if isinstance(entry, Mapping):
        return " ".join(str(value) for value in entry.values() if value not in (None, "", []))
    return str(entry)
