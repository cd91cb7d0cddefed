"""One line of the toy."""

from __future__ import annotations

from tests.toy.answers import READER, Line
from tests.toy.capabilities import CAPABILITIES
from tests.toy.sends import send_request, send_result
from whatsapp_provider.gateways.limited import LimitedChannel
from whatsapp_provider.http import ApiClient, Effect, segment
from whatsapp_provider.messages import Message
from whatsapp_provider.model import ChannelState, ChannelStatus, Profile, SendResult


class ToyChannel(LimitedChannel):
    gateway = "toy"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient, line_id: str) -> None:
        self._client = client
        self._path = f"/lines/{segment(line_id)}"

    async def status(self) -> ChannelStatus:
        line = READER.one(Line, await self._client.get(self._path))
        state = ChannelState.CONNECTED if line.phone else ChannelState.WAITING_FOR_PAIRING
        return ChannelStatus(state, account_phone=line.phone)

    async def profile(self) -> Profile:
        line = READER.one(Line, await self._client.get(self._path))
        return Profile(line.phone, name=line.name)

    async def send(self, recipient: str, message: Message) -> SendResult:
        body = send_request(recipient, message)
        answer = await self._client.request("POST", f"{self._path}/say", effect=Effect.ONCE, json=body)
        return send_result(answer.json())

    def _check_kind(self, message: Message) -> None:
        super()._check_kind(message)
        send_request("", message)
