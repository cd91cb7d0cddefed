"""A client of the Waabot dialect, as the vendor's page and SDK ask."""

from __future__ import annotations

from typing import Any

import httpx

from whatsapp_provider.emulator import Emulator
from whatsapp_provider.emulator.waabot.bot import Bot

TO = "15550001234"
BASE = "/waabot/api/v1"
PICTURE = {"file": ("bread.png", b"\x89PNG bread", "image/png")}


def pair(bot: Bot) -> dict[str, str]:
    return {"session_id": bot.session_id, "access_token": bot.access_token}


class Waabot:
    """Somebody with the account's bearer."""

    def __init__(self, emulator: Emulator, http: httpx.AsyncClient) -> None:
        self.emulator = emulator
        self.http = http
        self.account = emulator.waabot

    async def ask(self, method: str, path: str, bearer: str | None = "OWN", **request: Any) -> httpx.Response:
        """Send a request; ``OWN`` stands for the account's bearer, None for none."""
        if bearer == "OWN":
            bearer = self.emulator.settings.waabot_token
        headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
        headers |= request.pop("headers", {})
        return await self.http.request(method, BASE + path, headers=headers, **request)

    async def create(self, **body: Any) -> Bot:
        answer = await self.ask("POST", "/whatsapp/createNewWhatsapp", json=body)
        assert answer.status_code == 200, answer.text
        return self.account.bots[answer.json()["data"]["_id"]]

    async def init(self, bot: Bot, **config: Any) -> dict[str, Any]:
        answer = await self.ask("POST", "/whatsapp/init", json={**pair(bot), "config": config})
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def instance(self, bot: Bot) -> dict[str, Any]:
        data: dict[str, Any] = (await self.ask("GET", "/whatsapp/instance", params=pair(bot))).json()["data"]
        return data

    async def qr(self, bot: Bot) -> str:
        params = {**pair(bot), "format": "base64text"}
        return (await self.ask("GET", "/whatsapp/scan", params=params)).text

    async def send(self, bot: Bot, path: str = "", **request: Any) -> httpx.Response:
        return await self.ask("POST", f"/whatsapp/message{path}", params=pair(bot), **request)

    async def text(self, bot: Bot, to: str = TO, message: str = "Hello") -> httpx.Response:
        return await self.send(bot, json={"chatId": to, "message": message})


def refusal(answer: httpx.Response) -> list[Any]:
    """Return the status of an error and the text that tells why."""
    body = answer.json()
    assert body["status"] is False
    return [answer.status_code, body["error"] or body["message"]]
