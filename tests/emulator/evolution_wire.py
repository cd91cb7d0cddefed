"""A client of the Evolution dialect, and the comparison of its answers with captured ones."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from whatsapp_provider.emulator import Emulator

TO = "5511900000000"
#: What differs from one run to the next: only the type of the value must be the same.
VARIES = frozenset(
    {
        # what is made up for each message, row and code
        "id", "instanceId", "keyId", "messageId", "templateId", "fbtrace_id", "code", "base64", "pairingCode",
        "count", "messageParamsJson", "fileName",
        # when it happened
        "createdAt", "updatedAt", "messageTimestamp", "timestamp", "low", "senderTimestampMs", "date_time",
        "disconnectionAt", "disconnectionObject",
        # whose it is, and where
        "ownerJid", "wuid", "sender", "participant", "profileName", "apikey", "manager", "server_url",
        "webhookWaBusiness", "whatsappWebVersion",
    }
)  # fmt: skip
#: A token that the server made up.
TOKEN = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


class Evolution:
    """One server of the emulator, as somebody with the global key sees it."""

    def __init__(self, emulator: Emulator, http: httpx.AsyncClient, version: int = 2) -> None:
        self.emulator = emulator
        self.http = http
        self.version = version
        self.server = emulator.evolution.v2 if version == 2 else emulator.evolution.v1

    async def ask(self, method: str, path: str, key: str | None = "GLOBAL", **request: Any) -> httpx.Response:
        """Send a request; ``GLOBAL`` stands for the global key, None for none."""
        if key == "GLOBAL":
            key = self.emulator.settings.evolution_key
        headers = {} if key is None else {"apikey": key}
        headers |= request.pop("headers", {})
        return await self.http.request(
            method, f"/evolution/v{self.version}{path}", headers=headers, **request
        )

    async def create(self, name: str = "wa1", **more: Any) -> dict[str, Any]:
        body = {"instanceName": name, "integration": "WHATSAPP-BAILEYS", **more}
        answer = await self.ask("POST", "/instance/create", json=body)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def state(self, name: str = "wa1") -> str:
        answer = await self.ask("GET", f"/instance/connectionState/{name}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["instance"]["state"])

    async def text(self, name: str = "wa1", to: str = TO, text: str = "Hello", **more: Any) -> httpx.Response:
        body: dict[str, Any] = {"number": to, **more}
        body |= {"text": text} if self.version == 2 else {"textMessage": {"text": text}}
        return await self.ask("POST", f"/message/sendText/{name}", json=body)

    async def replay(self, exchange: dict[str, Any], ids: dict[str, str]) -> httpx.Response:
        """Ask what was asked of the real server; ``ids`` collects our message ids by the captured ones."""
        body = self.with_ids(exchange["body"], ids)
        request: dict[str, Any] = {} if body is None else {"json": body}
        answer = await self.ask(exchange["method"], exchange["path"], exchange["key"], **request)
        expected = exchange["answer"]
        if answer.status_code == 201 and isinstance(expected, dict) and "key" in expected:
            ids[expected["key"]["id"]] = answer.json().get("key", {}).get("id", "")
        return answer

    @staticmethod
    def with_ids(data: Any, ids: dict[str, str]) -> Any:
        """Return captured data with our message ids in it."""
        text = json.dumps(data)
        for captured, ours in ids.items():
            text = text.replace(captured, ours)
        return json.loads(text)


def differences(expected: Any, actual: Any, where: str = "", *, ordered: bool = True) -> list[str]:
    """Return how an answer differs from a captured one: keys and their order, types, and what never varies."""
    if type(expected) is not type(actual):
        return [f"{where}: {expected!r} became {actual!r}"]
    if isinstance(expected, dict):
        names = (list(expected), list(actual)) if ordered else (sorted(expected), sorted(actual))
        if names[0] != names[1]:
            return [f"{where}: keys {names[0]} became {names[1]}"]
        pairs = [(f"{where}.{name}", expected[name], actual[name]) for name in expected]
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            return [f"{where}: {len(expected)} items became {len(actual)}"]
        pairs = [(f"{where}[{at}]", *both) for at, both in enumerate(zip(expected, actual, strict=True))]
    else:
        if isinstance(expected, str) and TOKEN.fullmatch(expected) and TOKEN.fullmatch(actual):
            return []
        if where.rpartition(".")[2] in VARIES or ".messageSecret." in where or expected == actual:
            return []
        return [f"{where}: {expected!r} became {actual!r}"]
    return [line for path, one, two in pairs for line in differences(one, two, path, ordered=ordered)]
