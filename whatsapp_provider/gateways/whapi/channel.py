"""Whapi's gate API: everything for one channel (gate spec 1.8.7; captured answers)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from whatsapp_provider.errors import (
    AlreadyConnectedError,
    ConfigurationError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotFoundError,
    NotReachedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.gateways.limited import LimitedChannel
from whatsapp_provider.gateways.reading import digits_of, pairing_digits
from whatsapp_provider.gateways.whapi import webhooks
from whatsapp_provider.gateways.whapi.answers import CHAT_NOT_FOUND
from whatsapp_provider.gateways.whapi.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whapi.groups import PAGE, GroupList, GroupPayload, group_of, members_of
from whatsapp_provider.gateways.whapi.payloads import (
    CheckEntry,
    CheckPayload,
    CodePayload,
    Health,
    HookList,
    MessageList,
    QrPayload,
    StatusList,
    image,
    read,
)
from whatsapp_provider.gateways.whapi.sends import send_request, send_result, status_of
from whatsapp_provider.http import ApiClient, Effect, segment
from whatsapp_provider.messages import Message
from whatsapp_provider.model import (
    ChannelState,
    ChannelStatus,
    Group,
    GroupMember,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    PairingKind,
    Profile,
    SendResult,
    Webhook,
)

_STATES = {
    "NOT_INIT": ChannelState.INITIALIZING,
    "INIT": ChannelState.INITIALIZING,
    "LAUNCH": ChannelState.INITIALIZING,
    "QR": ChannelState.WAITING_FOR_PAIRING,
    "AUTH": ChannelState.CONNECTED,
    # Sends work; only reads fail until the phone is linked anew.
    "SYNC_ERROR": ChannelState.CONNECTED,
    "ERROR": ChannelState.ERROR,
    "STOP": ChannelState.STOPPED,
}

#: The order in which a message comes through them, for steps told of the same second.
_STEPS = tuple(MessageStatus)
MOST_HISTORY = 500  #: messages that the gate gives at once

Client = Callable[[], Awaitable[ApiClient]]
#: Asks the manager why the gate does not serve the channel.
Explain = Callable[[GatewayError], Awaitable[ChannelStatus]]


class WhapiChannel(LimitedChannel):
    """One channel.

    :param client: gives the gate's client; the channel's token is looked up at the first use.
    :param explain: asked when the gate refuses a look at the channel, or does not answer: not served
        yet, stopped, unpaid or deleted, only the manager knows.
    :param channel_id: the id that the gate must tell for the token, where it is known.
    """

    gateway = "whapi"
    capabilities = CAPABILITIES

    def __init__(self, client: Client, explain: Explain, channel_id: str | None = None) -> None:
        self._client = client
        self._explain = explain
        self._channel_id = channel_id

    async def _get(self, path: str, **params: str) -> Any:
        return await (await self._client()).get(path, params=params or None)

    async def _change(self, method: str, path: str, body: Any = None) -> Any:
        client = await self._client()
        return (await client.request(method, path, effect=Effect.IDEMPOTENT, json=body)).json()

    async def status(self) -> ChannelStatus:
        """Look at the channel, which also wakes it. The status text decides."""
        try:
            health = read(Health, await self._get("/health", wakeup="true"))
        except NotReachedError:
            raise
        except GatewayError as refusal:
            return await self._explain(refusal)
        if self._channel_id and health.channel_id and health.channel_id != self._channel_id:
            raise ConfigurationError(
                f"The channel token of the connection is that of channel {health.channel_id!r}, not of "
                f"{self._channel_id!r}. Correct the connection's channel id or its channel token."
            )
        word = health.status.text
        # A word that later versions may bring is waited for and shown, not taken for an error.
        state = _STATES.get(word.upper(), ChannelState.INITIALIZING)
        return ChannelStatus(state, detail=word, account_phone=health.user.id if health.user else None)

    async def pairing_qr(self) -> Pairing | None:
        """Return the QR code as an image; ``None`` while the gate has none ready."""
        return await self._qr("/users/login")

    async def pairing_raw(self) -> Pairing | None:
        """Return the text inside the QR code, for whoever draws it."""
        return await self._qr("/users/login/rowdata")

    async def _qr(self, path: str) -> Pairing | None:
        try:
            qr = read(QrPayload, await self._get(path, wakeup="true"))
        except GatewayError as error:
            if error.status == 422:  # drawing it failed; the next one may do
                return None
            raise _paired(error) or error from None
        if qr.status.upper() != "OK" or not (qr.base64 or qr.rowdata):
            return None
        picture = image(qr.base64) if qr.base64 else None
        return Pairing(PairingKind.QR, image=picture, raw=qr.rowdata, expires_in=qr.expire)

    async def pairing_code(self, phone: str) -> Pairing:
        """Return the code to type on the phone of that number."""
        digits = pairing_digits(phone)
        try:
            payload = read(CodePayload, await self._get(f"/users/login/{digits}"))
        except GatewayError as error:
            if error.status == 422:
                raise TemporarilyUnavailableError(
                    f"{error} The channel gives a code while it waits for its pairing; try again in a moment.",
                    status=422,
                ) from None
            raise _paired(error) or error from None
        return Pairing(PairingKind.CODE, code=payload.code)

    async def logout(self) -> bool:
        """Unlink the phone."""
        try:
            await self._change("POST", "/users/logout")
        except GatewayError as error:
            if error.status == 409:  # already logged out
                return False
            raise
        return True

    async def settings(self) -> dict[str, Any]:
        """Return the settings as they are."""
        body = await self._get("/settings")
        if not isinstance(body, dict):
            raise NoAnswerError("Whapi answered something that is not settings.", code="unreadable")
        return body

    async def update_settings(self, changes: Mapping[str, Any]) -> None:
        """Change the given settings; a field that is not named stays."""
        await self._change("PATCH", "/settings", dict(changes))

    async def webhooks(self) -> Sequence[Webhook]:
        """Return the configured webhooks."""
        return [webhooks.from_wire(entry) for entry in await self._webhook_entries()]

    async def set_webhook(self, webhook: Webhook, *, replace: bool = False) -> bool:
        """Add or change one webhook; there is room for several, so ``replace`` has nothing to do.

        Deliveries are kept by the gate until they are acknowledged.
        """
        webhooks.check(webhook)
        entries = webhooks.merged(await self._webhook_entries(), webhook)
        if entries is None:
            return False
        await self.update_settings({"webhooks": entries, "callback_persist": True})
        return True

    async def remove_webhook(self, url: str) -> bool:
        """Remove one webhook and leave the others."""
        entries = webhooks.without(await self._webhook_entries(), url)
        if entries is None:
            return False
        await self.update_settings({"webhooks": entries})
        return True

    async def _webhook_entries(self) -> list[dict[str, Any]]:
        settings = await self.settings()
        read(HookList, settings)
        return list(settings.get("webhooks") or [])

    async def send(self, recipient: str, message: Message) -> SendResult:
        """Send one message, once: the gate knows no idempotency key."""
        path, body = send_request(recipient, message)
        client = await self._client_for_send()
        return send_result((await client.request("POST", path, effect=Effect.ONCE, json=body)).json())

    async def _client_for_send(self) -> ApiClient:
        """Return the client; that the token could not be had puts no message in doubt."""
        try:
            return await self._client()
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD:
                raise
            raise NotReachedError(
                f"{error} That was the question for the channel's token: the message was not sent.",
                code="token_not_had",
            ) from None

    async def message_status(self, message_id: str) -> MessageStatus:
        """Return the furthest step that the gate tells of a message."""
        entries = read(StatusList, await self._get(f"/statuses/{segment(message_id)}")).statuses
        if not entries:
            return MessageStatus.PENDING
        steps = [(entry.timestamp or 0.0, status_of(entry.status)) for entry in entries]
        return max(steps, key=lambda step: (step[0], _STEPS.index(step[1])))[1]

    async def check_numbers(self, numbers: Sequence[str]) -> Sequence[NumberCheck]:
        """Ask which numbers are on WhatsApp; mass checks draw attention, so ask sparingly."""
        body = read(CheckPayload, await self._change("POST", "/contacts", {"contacts": list(numbers)}))
        found = {digits_of(entry.input): entry for entry in body.contacts}
        return [_check(number, found.get(digits_of(number))) for number in numbers]

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        """Return what this channel sent to one chat, newest first."""
        chat = recipient if "@" in recipient else f"{recipient}@s.whatsapp.net"
        params = {"from_me": "true", "time_from": str(int(since)), "count": str(min(limit, MOST_HISTORY))}
        try:
            body = await self._get(f"/messages/list/{segment(chat)}", **params)
        except NotFoundError as error:
            # No such chat: nothing was ever sent to it. That the *channel* is not found says nothing.
            if error.code == CHAT_NOT_FOUND:
                return []
            raise
        return [
            HistoryEntry(item.id, item.timestamp, item.kind, item.text, status_of(item.status))
            for item in read(MessageList, body).messages
            if item.from_me
        ]

    async def groups(self) -> Sequence[Group]:
        """Return the account's groups, page by page."""
        found: dict[str, Group] = {}
        while True:
            page = read(GroupList, await self._get("/groups", count=str(PAGE), offset=str(len(found))))
            news = {payload.id: group_of(payload) for payload in page.groups if payload.id not in found}
            found |= news
            if not news or (page.total is not None and len(found) >= page.total):
                return list(found.values())

    async def group(self, chat_id: str) -> Group | None:
        """Return one group. A channel that the gate does not find is not taken for a group that isn't there."""
        try:
            return group_of(await self._group(chat_id))
        except NotFoundError as error:
            if "group" in str(error).lower():
                return None
            raise

    async def group_members(self, chat_id: str) -> Sequence[GroupMember]:
        """Return a group's members."""
        return members_of(await self._group(chat_id))

    async def _group(self, chat_id: str) -> GroupPayload:
        return read(GroupPayload, await self._get(f"/groups/{segment(chat_id)}"))

    async def profile(self) -> Profile:
        """Return number and name; the gate's own profile route tells no number."""
        user = read(Health, await self._get("/health")).user
        return Profile(phone=user.id, name=user.name) if user else Profile()


def _paired(error: GatewayError) -> AlreadyConnectedError | None:
    return AlreadyConnectedError(str(error), status=409) if error.status == 409 else None


def _check(number: str, entry: CheckEntry | None) -> NumberCheck:
    if entry is None or entry.status not in {"valid", "invalid"}:
        raise NoAnswerError(
            "Whapi's answer to a number check lacks a number or its result.", code="unreadable"
        )
    chat_id = entry.wa_id
    if chat_id and "@" not in chat_id:
        chat_id = f"{chat_id}@s.whatsapp.net"
    return NumberCheck(number, entry.status == "valid", chat_id)
