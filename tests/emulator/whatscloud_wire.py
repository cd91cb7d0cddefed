"""A client of the WhatsCloud dialect, and the comparison of its answers with documented ones."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from whatsapp_provider.emulator import Emulator
from whatsapp_provider.emulator.whatscloud.tenant import Tenant

TO = "15550000001"
#: What differs from one tenant or run to the next: only the type of the value must be the same.
VARIES = frozenset(
    {
        "id", "message_id", "contact_id", "chat_id", "sent_at", "created_at", "updated_at", "fbtrace_id",
        "retry_after", "timestamp", "request_id",
    }
)  # fmt: skip


class WhatsCloud:
    """The tenant as somebody with its token sees it."""

    def __init__(self, emulator: Emulator, http: httpx.AsyncClient) -> None:
        self.emulator = emulator
        self.http = http

    @property
    def tenant(self) -> Tenant:
        return self.emulator.whatscloud

    async def ask(self, method: str, path: str, body: Any = None, **request: Any) -> httpx.Response:
        """Send a request; ``token=None`` sends none."""
        settings = self.emulator.settings
        token = request.pop("token", settings.whatscloud_token)
        tenant = request.pop("tenant", settings.whatscloud_tenant)
        headers = {"accept": "application/json", **request.pop("headers", {})}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if body is not None:
            request["json"] = body
        return await self.http.request(
            method, f"/whatscloud/api/v1/{tenant}{path}", headers=headers, **request
        )

    async def text(self, to: str = f"+{TO}", text: str = "Hello", **more: Any) -> httpx.Response:
        return await self.ask("POST", "/messages/send", {"phone_number": to, "message_body": text, **more})

    async def template(self, name: str, **more: Any) -> httpx.Response:
        body = {"phone_number": f"+{TO}", "template_name": name, "template_language": "en_US", **more}
        return await self.ask("POST", "/messages/template", body)

    async def sent(self, **more: Any) -> str:
        """Send a text and return its id."""
        answer = await self.text(**more)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["message_id"])

    async def status(self, message_id: str) -> Any:
        """Return what the API tells of a message's way."""
        answer = await self.ask("GET", f"/messages/{quote(message_id, safe='')}/status")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def complaints(self, path: str, body: Any) -> dict[str, str]:
        """Return what the validator says to a request, the first sentence of each field."""
        answer = await self.ask("POST", path, body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["message"] == "Validation failed"
        return {field: told[0] for field, told in answer.json()["errors"].items()}


def differences(expected: Any, actual: Any, guessed: tuple[str, ...] = (), where: str = "") -> list[str]:
    """Return how an answer differs from a documented one; ``guessed`` keys may be there besides."""
    if type(expected) is not type(actual):
        return [f"{where}: {expected!r} became {actual!r}"]
    if isinstance(expected, dict):
        known = [name for name in actual if name in expected or name not in guessed]
        if sorted(known) != sorted(expected):
            return [f"{where}: keys {sorted(expected)} became {sorted(known)}"]
        pairs = [(f"{where}.{name}", expected[name], actual[name]) for name in expected]
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            return [f"{where}: {len(expected)} items became {len(actual)}"]
        pairs = [(f"{where}[{at}]", *both) for at, both in enumerate(zip(expected, actual, strict=True))]
    else:
        same = expected == actual or where.rpartition(".")[2] in VARIES
        return [] if same else [f"{where}: {expected!r} became {actual!r}"]
    return [line for path, one, two in pairs for line in differences(one, two, guessed, path)]
