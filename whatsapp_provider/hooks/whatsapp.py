"""The one real hook: finds the gateway by the connection's type, for sync and async callers alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from airflow.providers.common.compat.sdk import BaseHook, mask_secret

from whatsapp_provider.errors import ConfigurationError, Disposition, WhatsAppError
from whatsapp_provider.gateways.connection import NOTIFY_FIELD, ConnectionValues
from whatsapp_provider.gateways.registry import by_connection_type
from whatsapp_provider.hooks import edge
from whatsapp_provider.hooks.channels import ChannelLike, resolve
from whatsapp_provider.hooks.compat import mask_secret_async
from whatsapp_provider.hooks.forms import ConnectionFormMethods
from whatsapp_provider.hooks.ledger import open_ledger, open_ledger_async
from whatsapp_provider.hooks.missing import named
from whatsapp_provider.hooks.upkeep import UpkeepMethods

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.gateways.base import ChannelGateway, Gateway, MessageCheck
    from whatsapp_provider.messages import Message
    from whatsapp_provider.model import (
        ChannelRef,
        ChannelStatus,
        Group,
        GroupMember,
        MessageStatus,
        Profile,
        SendResult,
    )

T = TypeVar("T")
DEFAULT_CONN_ID = "whatsapp_default"


class WhatsAppHook(UpkeepMethods, ConnectionFormMethods, BaseHook):
    """Reach WhatsApp through whichever gateway the connection is for.

    In an operator or a plain ``@task``, use the synchronous methods::

        WhatsAppHook("whatsapp_default").send_text("+15550000001", "Hello")

    In async code, use ``await hook.send_async(…)``, or ``await hook.open()`` and the gateway's own methods.

    A message sent by :meth:`send` or :meth:`send_async` takes a place in the channel's pace, as far as the ledger
    can be had, but waits for none and isn't guarded: a retried task sends it again. Operators do better.

    :param whatsapp_conn_id: a connection of one of the WhatsApp types.
    """

    conn_name_attr = "whatsapp_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = ""
    hook_name = "WhatsApp"

    def __init__(self, whatsapp_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.whatsapp_conn_id = whatsapp_conn_id
        self._gateway: Gateway | None = None
        self._notify_to = ""
        #: The connection's type and values, once the gateway is open.
        self.opened_from: tuple[str, ConnectionValues] | None = None

    @property
    def gateway(self) -> Gateway:
        """The gateway of the connection; no request is made.

        :raises ConfigurationError: if the connection is of another type or lacks something.
        :raises WhatsAppConnectionNotFoundError: if Airflow has none of this id, or can't give it now.
        """
        if self._gateway is None:
            with named(self.whatsapp_conn_id):
                connection = self.get_connection(self.whatsapp_conn_id)
            _check_extra(connection)
            extra = connection.extra_dejson
            for secret in _secrets(connection, extra):
                mask_secret(secret)
            self._keep(connection, extra)
        return cast("Gateway", self._gateway)

    @property
    def notify_to(self) -> str:
        """Whom the connection names for notifications, as it is typed there; known once the gateway is open."""
        return self._notify_to

    def get_conn(self) -> Gateway:
        """Return the gateway, under the name that Airflow's hooks use."""
        return self.gateway

    async def open(self) -> Gateway:
        """Return the gateway, from async code: a trigger or ``@task async def``."""
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        if self._gateway is None:
            with named(self.whatsapp_conn_id):
                connection = await get_async_connection(self.whatsapp_conn_id, hook=self)
            _check_extra(connection)
            extra = await get_async_extra_dejson(connection)
            for secret in _secrets(connection, extra):
                await mask_secret_async(secret)
            # Its first use in a process imports the gateway, which no other trigger should wait for.
            await asyncio.to_thread(self._keep, connection, extra)
        return cast("Gateway", self._gateway)

    async def open_channel(self, channel: ChannelLike = None) -> ChannelGateway:
        """Return one channel, from async code."""
        gateway = await self.open()
        return gateway.channel(await resolve(gateway, channel))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of a gateway to its end, from synchronous code."""
        return edge.run(work)

    def channel_ref(self, channel: ChannelLike = None) -> ChannelRef:
        """Return the reference of the channel that is meant."""
        return self.run(resolve(self.gateway, channel))

    def channel_status(self, channel: ChannelLike = None) -> ChannelStatus:
        """Look at a channel."""
        return self.run(self._channel(channel).status())

    def send(
        self, to: str, message: Message | Mapping[str, Any] | str, *, channel: ChannelLike = None
    ) -> SendResult:
        """Send one message of any kind, once.

        :param to: a phone number with country code, or a WhatsApp id.
        :raises InputError: if recipient or message are wrong; nothing was sent.
        :raises GatewayError: whose ``disposition`` says whether it may have been sent.
        """
        address, parsed = _checked(self.gateway, to, message)
        ref = self.channel_ref(channel)
        sender = self.gateway.channel(ref)
        self.run(sender.message_check(parsed.kind))(parsed)
        try:
            result = self.run(sender.send(address, parsed))
        except BaseException as error:
            if _may_have_left(error):
                self._count(ref)
            raise
        self._count(ref)
        return result

    async def send_async(
        self, to: str, message: Message | Mapping[str, Any] | str, *, channel: ChannelLike = None
    ) -> SendResult:
        """Send one message of any kind, once, from async code; see :meth:`send`."""
        gateway = await self.open()
        # Its first use in a process imports the tables of numbers.
        address, parsed = await asyncio.to_thread(_checked, gateway, to, message)
        ref = await resolve(gateway, channel)
        sender = gateway.channel(ref)
        (await sender.message_check(parsed.kind))(parsed)
        try:
            result = await sender.send(address, parsed)
        except BaseException as error:
            if _may_have_left(error):
                await self._count_async(ref)
            raise
        await self._count_async(ref)
        return result

    def send_text(self, to: str, text: str, *, channel: ChannelLike = None) -> SendResult:
        """Send a text message, once; see :meth:`send`."""
        return self.send(to, text, channel=channel)

    def message_check(self, kind: str, *, channel: ChannelLike = None) -> MessageCheck:
        """Return what refuses messages of a kind that the channel can't send.

        :raises UnsupportedError: naming gateway and kind, if it can't send that kind at all.
        """
        self.gateway.capabilities.require_kind(self.gateway.name, kind)
        return self.run(self._channel(channel).message_check(kind))

    def message_status(self, message_id: str, *, channel: ChannelLike = None) -> MessageStatus:
        """Return how far a message has come."""
        self.gateway.capabilities.require(self.gateway.name, "message_status")
        return self.run(self._channel(channel).message_status(message_id))

    def groups(self, *, channel: ChannelLike = None) -> Sequence[Group]:
        """Return the groups that the paired account is in; their ids are recipients and audiences."""
        self.gateway.capabilities.require(self.gateway.name, "groups")
        return self.run(self._channel(channel).groups())

    def group_members(self, group: str, *, channel: ChannelLike = None) -> Sequence[GroupMember]:
        """Return who is in a group.

        :param group: its id, ``…@g.us``.
        """
        self.gateway.capabilities.require(self.gateway.name, "groups")
        return self.run(self._channel(channel).group_members(group))

    def profile(self, channel: ChannelLike = None) -> Profile:
        """Return the paired account's own profile."""
        self.gateway.capabilities.require(self.gateway.name, "profile")
        return self.run(self._channel(channel).profile())

    def test_connection(self) -> tuple[bool, str]:
        """Name what the connection reaches, or say what is wrong with it."""
        try:
            return True, self.run(self.gateway.test())
        except WhatsAppError as error:
            return False, str(error)

    def _keep(self, connection: Any, extra: Mapping[str, Any]) -> None:
        values = _values(connection, extra)
        self._gateway = by_connection_type(connection.conn_type).open(values)
        self._notify_to = values.text(NOTIFY_FIELD)
        self.opened_from = (connection.conn_type, values)

    def _count(self, ref: ChannelRef) -> None:
        """Let campaigns on the channel know of a message; that they can't undoes no send."""
        try:
            _count_in(open_ledger(), self._key(ref))
        except Exception as error:  # whatever is wrong with it: the message was sent
            self._uncounted(error)

    async def _count_async(self, ref: ChannelRef) -> None:
        try:
            await asyncio.to_thread(_count_in, await open_ledger_async(), self._key(ref))
        except Exception as error:  # as above
            self._uncounted(error)

    def _key(self, ref: ChannelRef) -> str:
        return ref.key(cast("Gateway", self._gateway).channel_scope)

    def _uncounted(self, error: Exception) -> None:
        # A text that isn't ours may tell a password.
        reason = str(error) if isinstance(error, WhatsAppError) else type(error).__name__
        self.log.warning("The message isn't counted against the pace of its channel: %s", reason)

    def _channel(self, channel: ChannelLike) -> ChannelGateway:
        return self.gateway.channel(self.channel_ref(channel))


def _check_extra(connection: Any) -> None:
    # Airflow takes an extra field that it can't read for an empty one.
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ConfigurationError(f"Connection {connection.conn_id!r}: the extra field must be a JSON object.")


def _checked(gateway: Gateway, to: str, message: Any) -> tuple[str, Message]:
    """Return where a message goes and the message itself, or refuse them before anything is sent."""
    from whatsapp_provider.campaigns.identity import parse_recipient
    from whatsapp_provider.messages import parse_message

    recipient, parsed = parse_recipient(to), parse_message(message)
    gateway.capabilities.require_kind(gateway.name, parsed.kind)
    return recipient.address, parsed


def _may_have_left(error: BaseException) -> bool:
    # An interrupted send may have been made, too.
    return not isinstance(error, WhatsAppError) or error.disposition is Disposition.HOLD


def _count_in(ledger: Ledger, channel_key: str) -> None:
    try:
        ledger.count_send(channel_key)
    finally:
        ledger.dispose()


def _values(connection: Any, extra: Mapping[str, Any]) -> ConnectionValues:
    return ConnectionValues(
        conn_id=connection.conn_id,
        host=connection.host or "",
        login=connection.login or "",
        schema=connection.schema or "",
        port=connection.port,
        password=connection.password or "",
        extra=extra,
    )


def _secrets(connection: Any, extra: Mapping[str, Any]) -> list[str]:
    named = [value for name, value in extra.items() if name.endswith(("_token", "_secret"))]
    return [value for value in (connection.password, *named) if isinstance(value, str) and value]
