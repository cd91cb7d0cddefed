"""One bot as a channel (the vendor's API page; the open-source server below it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whatsapp_provider.errors import (
    AlreadyConnectedError,
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NotConnectedError,
    NotReachedError,
    UnsupportedError,
)
from whatsapp_provider.gateways.base import MessageCheck
from whatsapp_provider.gateways.limited import LimitedChannel
from whatsapp_provider.gateways.waabot import webhooks
from whatsapp_provider.gateways.waabot.answers import UNKNOWN_PAIR
from whatsapp_provider.gateways.waabot.api import Api
from whatsapp_provider.gateways.waabot.bots import Bots, gone
from whatsapp_provider.gateways.waabot.calls import INIT, INSTANCE, LOGOUT, SCAN, SET_WEBHOOK, Call
from whatsapp_provider.gateways.waabot.capabilities import CAPABILITIES
from whatsapp_provider.gateways.waabot.payloads import Instance, Scan, instance_of, is_object_id, scan_of
from whatsapp_provider.gateways.waabot.sends import check_message, send_request, send_result
from whatsapp_provider.gateways.waabot.settings import check_webhook_set, sections_of, told, update
from whatsapp_provider.http import Sleep
from whatsapp_provider.messages import Message
from whatsapp_provider.model import (
    ChannelRef,
    ChannelState,
    ChannelStatus,
    Pairing,
    PairingKind,
    Profile,
    SendResult,
    Webhook,
)
from whatsapp_provider.transport import Answer

QR_WITHIN = 10.0  #: seconds that the first QR code after a start is waited for
LOOK_EVERY = 0.5  #: seconds between looks


class WaabotChannel(LimitedChannel):
    """One bot.

    :param ref: its channel id is the bot's ``_id``, or stands for the connection's own pair.
    """

    gateway = "waabot"
    capabilities = CAPABILITIES

    def __init__(self, api: Api, bots: Bots, ref: ChannelRef, sleep: Sleep, *, deprecated_text: bool) -> None:
        self._api = api
        self._bots = bots
        self._ref = ref
        self._sleep = sleep
        self._deprecated_text = deprecated_text
        # What this object set: nobody tells the events, and later servers not the URL.
        self._webhook: Webhook | None = None

    async def _ask(self, call: Call, **options: Any) -> Answer:
        """Make a call for this bot; with the pair that it has now, where it was given another one."""
        try:
            return await self._api.ask(call, await self._bots.pair(self._ref), **options)
        except CredentialRejectedError as error:
            if error.code != UNKNOWN_PAIR or not await self._bots.recheck(self._ref):
                raise
        return await self._api.ask(call, await self._bots.pair(self._ref), **options)

    async def status(self) -> ChannelStatus:
        """Look at the bot, and start it where the server does not run it yet.

        :raises NotFoundError: if it was deleted.
        """
        instance = await self._instance()
        if instance.is_connected:
            phone = await self._phone(instance)
            return ChannelStatus(ChannelState.CONNECTED, instance.word, account_phone=phone)
        if not instance.is_known:
            await self._ask(INIT)
            return ChannelStatus(ChannelState.INITIALIZING, detail=instance.word)
        scan = await self._scan()
        if scan.image is None and not scan.is_spent and instance.is_starting is not False:
            detail = f"{instance.word}; no QR code yet"
            return ChannelStatus(ChannelState.INITIALIZING, detail=detail)
        # Where no code is left, asking for one starts the bot anew.
        return ChannelStatus(ChannelState.WAITING_FOR_PAIRING, detail=instance.word)

    async def look(self) -> Instance:
        """Look at the bot, and change nothing."""
        return await self._instance()

    async def _instance(self) -> Instance:
        try:
            answer = await self._ask(INSTANCE, params={"format": "base64"})
        except CredentialRejectedError as error:
            if error.code != UNKNOWN_PAIR or not self._bots.sees_account:
                raise
            # The account has this bot, with this pair: the server below does not run it.
            return Instance(is_known=False, word="not started")
        instance = instance_of(answer.json())
        if not instance.is_known:
            await self._bots.recheck(self._ref)
        return instance

    async def _scan(self) -> Scan:
        answer = await self._ask(SCAN, params={"format": "base64text"})
        return scan_of(answer)

    async def pairing_qr(self) -> Pairing | None:
        """Return the QR code; where the server shows none any more, the bot is started anew first."""
        instance = await self._instance()
        if instance.is_connected:
            raise AlreadyConnectedError(
                f"Bot {self._ref.channel_id!r} has a phone; log it out to pair it anew."
            )
        # The server below shows a scanned code for ever; one that was started again says no more that it had a phone.
        old = instance.was_unlinked or not instance.is_known
        scan = Scan(is_spent=True) if old else await self._scan()
        if scan.image is None and (scan.is_spent or instance.is_starting is not True):
            await self._ask(INIT)
            scan = await self._scan_soon()
        return Pairing(PairingKind.QR, image=scan.image) if scan.image else None

    async def _scan_soon(self) -> Scan:
        """Wait for the first code: a start that is asked for anew before it comes would put it off for ever."""
        for _ in range(int(QR_WITHIN / LOOK_EVERY)):
            if (scan := await self._scan()).image is not None:
                return scan
            await self._sleep(LOOK_EVERY)
        return Scan()

    async def logout(self) -> bool:
        """Unlink the phone. The call is a GET that changes something, so it is made once."""
        bot_id = await self._bot_id()
        try:
            await self._ask(LOGOUT, bot_id=bot_id)
        except NotConnectedError:
            return False
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD or (await self._instance()).is_connected:
                raise
        return True

    async def _bot_id(self) -> str:
        """Return the ``_id``, which a connection that gives the pair alone does not know."""
        if is_object_id(self._ref.channel_id):
            return self._ref.channel_id
        bot = await self._bots.row(self._ref)
        if bot is None:
            raise gone(self._ref)
        return bot.id

    async def settings(self) -> dict[str, Any]:
        """Return the settings as the account's list tells them, without the access token in them."""
        return told(await self._bots.settings(self._ref))

    async def update_settings(self, changes: Mapping[str, Any]) -> None:
        """Change some settings, named as they are told; those of ``actions``, ``active_days`` and ``active_hours`` too.

        :raises ConfigurationError: before anything is changed, for a setting that there is not.
        :raises NotFoundError: if the API says that it updated, and matched no bot.
        """
        sections_of(changes)
        await update(self._api, await self._bots.pair(self._ref), changes, self._ref.channel_id)

    async def webhooks(self) -> Sequence[Webhook]:
        """Return the webhook; its events only where this object set them, since the API tells none.

        :raises UnsupportedError: if the server tells no URL either, and says that a webhook is called.
        """
        url = (await self._instance()).webhook_url
        if url is None:
            url = await self._untold_url()
        if not url:
            return []
        return [self._webhook if self._webhook and self._webhook.url == url else Webhook(url)]

    async def _untold_url(self) -> str:
        """Return what can be known of the URL on a server that does not tell it."""
        if self._webhook is not None:
            return self._webhook.url
        actions = (await self.settings()).get("actions")
        if isinstance(actions, dict) and actions.get("send_webhook") is not True:
            return ""
        raise UnsupportedError(
            "Gateway 'waabot' can't tell the webhook of a bot on this server; it says only that there is one. To set "
            "another one in its place, say replace=True."
        )

    async def set_webhook(self, webhook: Webhook, *, replace: bool = False) -> bool:
        """Set the bot's one webhook, and let it be called. ``False`` only where this object set the very same before.

        :raises ConfigurationError: if another URL's is set and ``replace`` is not, or the API knows no such event.
        :raises UnsupportedError: if the server says that one is set and not which, and ``replace`` is not.
        """
        body = webhooks.body(webhook)
        if not (replace and self._webhook is None):
            current = next(iter(await self.webhooks()), None)
            if current == webhook:
                return False
            if current is not None and current.url != webhook.url and not replace:
                raise webhooks.taken(current.url)
        await self._write_webhook(body, called=True)
        self._webhook = webhook
        return True

    async def remove_webhook(self, url: str) -> bool:
        """Let nobody be called, if the webhook is that one."""
        if url not in {webhook.url for webhook in await self.webhooks()}:
            return False
        await self._write_webhook(webhooks.nothing(), called=False)
        self._webhook = None
        return True

    async def _write_webhook(self, body: Mapping[str, Any], *, called: bool) -> None:
        check_webhook_set(await self._ask(SET_WEBHOOK, json=body), self._ref.channel_id)
        # New bots have this switched off.
        await self.update_settings({"actions": {"send_webhook": called}})

    async def message_check(self, kind: str) -> MessageCheck:
        """Refuse kinds and parts of messages that the API has no place for."""
        self.capabilities.require_kind(self.gateway, kind)
        return check_message

    async def send(self, recipient: str, message: Message) -> SendResult:
        """Send one message, once: the API knows no idempotency key."""
        request = send_request(recipient, message, deprecated_text=self._deprecated_text)
        try:
            pair = await self._bots.pair(self._ref)
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD:
                raise
            raise NotReachedError(
                f"{error} That was the question for the bot's session id and access token: the message was not sent.",
                code="pair_not_had",
            ) from None
        try:
            answer = await self._api.ask(request.call, pair, json=request.json, form=request.form)
        except CredentialRejectedError as error:
            if error.code == UNKNOWN_PAIR:
                self._bots.forget(self._ref)
            raise
        return send_result(answer)

    async def profile(self) -> Profile:
        """Return number and name of the paired account, as far as the server tells them."""
        instance = await self._instance()
        if not instance.is_connected:
            return Profile()
        return Profile(phone=await self._phone(instance), name=instance.name)

    async def _phone(self, instance: Instance) -> str | None:
        """Return the paired number; later servers tell it in the account's list only."""
        if instance.phone is not None or not self._bots.sees_account:
            return instance.phone
        bot = await self._bots.row(self._ref)
        return bot.phone if bot else None
