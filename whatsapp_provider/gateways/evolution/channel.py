"""One Evolution instance as a channel (answers captured from 2.3.6; source of 1.8)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from whatsapp_provider.errors import (
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    NotReachedError,
    RecipientRejectedError,
    RequestRejectedError,
)
from whatsapp_provider.gateways.base import MessageCheck
from whatsapp_provider.gateways.evolution import kinds, rooms, webhooks
from whatsapp_provider.gateways.evolution.account import row_of
from whatsapp_provider.gateways.evolution.answers import NOT_AVAILABLE, OPAQUE, is_missing
from whatsapp_provider.gateways.evolution.bodies import changed_settings
from whatsapp_provider.gateways.evolution.capabilities import CAPABILITIES
from whatsapp_provider.gateways.evolution.dialects import VERSION_WITHIN, Dialect, Server
from whatsapp_provider.gateways.evolution.history import History, furthest
from whatsapp_provider.gateways.evolution.pairing import Pairer
from whatsapp_provider.gateways.evolution.payloads import (
    NumberRow,
    ProfileAnswer,
    StateAnswer,
    StatusRow,
    WebhookRow,
    read,
    read_list,
)
from whatsapp_provider.gateways.evolution.sends import send_request, send_result
from whatsapp_provider.gateways.evolution.states import phone_of, status_of
from whatsapp_provider.gateways.evolution.templates import Templates, check_untold
from whatsapp_provider.gateways.limited import LimitedChannel
from whatsapp_provider.gateways.meta_templates import MetaTemplate
from whatsapp_provider.gateways.reading import digits_of
from whatsapp_provider.http import ApiClient, Effect, Sleep, private_texts, segment
from whatsapp_provider.messages import Message
from whatsapp_provider.model import (
    ChannelStatus,
    Group,
    GroupMember,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    Profile,
    SendResult,
    Webhook,
)
from whatsapp_provider.templates import OfficialTemplate

MOST_UPDATES = 50  #: updates of one message that are read


class EvolutionChannel(LimitedChannel):
    """One instance.

    :param client: with the key that reaches it.
    :param name: the instance's name, which is its id.
    """

    gateway = "evolution"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient, server: Server, name: str, sleep: Sleep) -> None:
        self._client = client
        self._server = server
        self._name = name
        self._pairer = Pairer(client, name, self.status, sleep)
        self._templates = Templates(client, server, name)

    def _path(self, route: str) -> str:
        return f"/{route}/{segment(self._name)}"

    async def _ask(self, route: str, **body: Any) -> Any:
        """Read by POST, as these servers have it."""
        return (await self._client.request("POST", self._path(route), effect=Effect.READ, json=body)).json()

    async def _set(self, route: str, body: Any) -> None:
        await self._client.request("POST", self._path(route), effect=Effect.IDEMPOTENT, json=body)

    async def status(self) -> ChannelStatus:
        """Look at the instance: its live state, and in its row who is paired and how it was lost.

        :raises NotFoundError: if it was deleted.
        """
        try:
            state = read(StateAnswer, await self._client.get(self._path("instance/connectionState")))
            row = await row_of(self._client, self._name)
        except NotFoundError as error:
            if not is_missing(error):
                raise
            raise NotFoundError(
                f"The server has no instance {self._name!r}; it was deleted, or belongs to another server.",
                status=404,
                code=error.code,
            ) from None
        return status_of(state.instance.state, row)

    async def pairing_qr(self) -> Pairing | None:
        """Return the QR code; it changes every 45 seconds."""
        return await self._pairer.qr()

    async def pairing_code(self, phone: str) -> Pairing:
        """Return the code to type on the phone of that number."""
        return await self._pairer.code(phone)

    async def logout(self) -> bool:
        """Unlink the phone."""
        return await self._pairer.logout()

    async def settings(self) -> dict[str, Any]:
        """Return the settings in the server's own spelling."""
        body = await self._client.get(self._path("settings/find"))
        if not isinstance(body, dict):
            raise NoAnswerError("The server answered something that is not settings.", code="unreadable")
        return body

    async def update_settings(self, changes: Mapping[str, Any]) -> None:
        """Change the given settings, in either spelling; the server takes all of them or none."""
        dialect = await self._server.dialect()
        await self._set("settings/set", changed_settings(await self.settings(), changes, dialect))

    async def webhooks(self) -> Sequence[Webhook]:
        """Return the webhook, if one is set and enabled."""
        return webhooks.told(await self._webhook())

    async def set_webhook(self, webhook: Webhook, *, replace: bool = False) -> bool:
        """Set the instance's one webhook.

        :raises ConfigurationError: if another URL's is set and ``replace`` is not, or the server does not know
            an event.
        """
        dialect = await self._server.dialect()
        body = webhooks.wanted(webhook, await self._webhook(), dialect, replace=replace)
        if body is None:
            return False
        await self._set("webhook/set", body)
        return True

    async def remove_webhook(self, url: str) -> bool:
        """Disable the webhook, if it is that one."""
        if url not in {webhook.url for webhook in await self.webhooks()}:
            return False
        await self._set("webhook/set", webhooks.removed(url, await self._server.dialect()))
        return True

    async def _webhook(self) -> WebhookRow | None:
        body = await self._client.get(self._path("webhook/find"))
        return None if body is None else read(WebhookRow, body)

    async def message_check(self, kind: str) -> MessageCheck:
        """Check a kind against the instance's integration, where it hangs on that, and templates against Meta's.

        Version 1 tells no templates; there Meta refuses what does not fit when it is sent.
        """
        self.capabilities.require_kind(self.gateway, kind)
        if kind in kinds.EVERYWHERE:
            return kinds.check
        integration, dialect = await self._templates.integration(), await self._server.dialect()
        kinds.require(kind, integration, dialect, self._name)
        asks = kind == "template" and dialect is Dialect.V2
        fits = await self._templates.check() if asks else check_untold

        def check(message: Message) -> None:
            kinds.check(message, integration)
            fits(message)

        return check

    async def templates(self) -> Sequence[OfficialTemplate]:
        """Return the first page of what Meta tells of them: 25 templates."""
        return [template.official for template in await self._templates.read()]

    async def create_template(self, definition: Mapping[str, Any]) -> OfficialTemplate:
        """Hand a template in; Meta approves it or not in its own time."""
        return await self._templates.create(definition)

    async def _asked_before(self, message: Message) -> tuple[Dialect, MetaTemplate | None]:
        """Return what a send must know of the server first; both within the bound of the one."""
        try:
            async with asyncio.timeout(VERSION_WITHIN):
                dialect = await self._server.before_sending()
                return dialect, await self._templates.for_sending(message, dialect)
        except TimeoutError:
            raise NotReachedError(
                f"The server did not tell a template within {VERSION_WITHIN:g} s; the message was not sent.",
                code="template_not_had",
            ) from None

    async def send(self, recipient: str, message: Message) -> SendResult:
        """Send one message, once: the server knows no idempotency key."""
        self.capabilities.require_kind(self.gateway, message.kind)
        dialect, template = await self._asked_before(message)
        route, body = send_request(recipient, message, dialect, template)
        try:
            answer = await self._client.request(
                "POST", self._path(f"message/{route}"), effect=Effect.ONCE, json=body
            )
        except NoAnswerError as error:
            if error.code == OPAQUE and recipient.endswith("@g.us"):
                # The group's data is read first, and this is what its absence looks like.
                raise RecipientRejectedError(
                    f"{error} The instance is in no such group.", status=error.status, code="unknown_group"
                ) from None
            raise
        return send_result(answer.json(), tuple(private_texts(body)))

    async def message_status(self, message_id: str) -> MessageStatus:
        """Return the furthest step that was told; updates have no order and no time."""
        body = await self._ask(
            "chat/findStatusMessage", where={"id": message_id}, page=1, offset=MOST_UPDATES
        )
        return furthest(row.status for row in read_list(StatusRow, body))

    async def check_numbers(self, numbers: Sequence[str]) -> Sequence[NumberCheck]:
        """Ask which numbers are on WhatsApp; the server keeps a yes for a week."""
        if not numbers:
            return []
        try:
            body = await self._ask("chat/whatsappNumbers", numbers=list(dict.fromkeys(numbers)))
        except GatewayError as error:
            if error.status == 400 and type(error) is RequestRejectedError and error.code == "http_400":
                # A bare {} is all that a server without a connection says here.
                raise NotConnectedError(
                    f"{error} Instance {self._name!r} is probably not connected; look at its state.",
                    status=400,
                ) from None
            raise
        found = {digits_of(row.number): row for row in read_list(NumberRow, body)}
        return [_check(number, found.get(digits_of(number))) for number in numbers]

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        """Return what this instance sent to one chat, newest first."""
        dialect = await self._server.dialect()
        history = History(lambda body: self._ask("chat/findMessages", **body), paged=dialect is Dialect.V2)
        return await history.sent_to(recipient, since=since, limit=limit)

    async def groups(self) -> Sequence[Group]:
        """Return the account's groups."""
        path = self._path("group/fetchAllGroups")
        return rooms.groups(await self._client.get(path, params={"getParticipants": "false"}))

    async def group(self, chat_id: str) -> Group | None:
        """Return one group; that the instance itself is missing is not taken for that."""
        try:
            body = await self._client.get(self._path("group/findGroupInfos"), params={"groupJid": chat_id})
        except NotFoundError as error:
            if is_missing(error):
                raise
            return None
        return rooms.group(body)

    async def group_members(self, chat_id: str) -> Sequence[GroupMember]:
        """Return a group's members."""
        path = self._path("group/participants")
        return rooms.members(await self._client.get(path, params={"groupJid": chat_id}))

    async def profile(self) -> Profile:
        """Return the paired account's profile; where the integration has none, what the server's list tells."""
        try:
            told = read(ProfileAnswer, await self._ask("chat/fetchProfile"))
        except RequestRejectedError as error:
            if error.code != NOT_AVAILABLE:
                raise
            row = await row_of(self._client, self._name)
            return Profile(phone=phone_of(row.owner), name=row.profile_name) if row else Profile()
        return Profile(phone=phone_of(told.wuid), name=told.name, is_business=told.isBusiness)


def _check(number: str, row: NumberRow | None) -> NumberCheck:
    if row is None:
        raise NoAnswerError("The server's answer to a number check lacks a number.", code="unreadable")
    hidden = row.lid if isinstance(row.lid, str) and row.lid.endswith("@lid") else None
    return NumberCheck(number, row.exists, row.jid if row.exists else None, hidden if row.exists else None)
