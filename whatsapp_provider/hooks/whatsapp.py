"""The one real hook: finds the gateway by the connection's type, for sync and async callers alike."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import BaseHook, mask_secret

from whatsapp_provider.errors import ConfigurationError, Disposition, WhatsAppError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import by_connection_type
from whatsapp_provider.hooks import edge
from whatsapp_provider.hooks.channels import ChannelLike, resolve
from whatsapp_provider.hooks.ledger import open_ledger

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import ChannelGateway, Gateway
    from whatsapp_provider.messages import Message
    from whatsapp_provider.model import ChannelRef, ChannelStatus, MessageStatus, SendResult

T = TypeVar("T")
DEFAULT_CONN_ID = "whatsapp_default"


class WhatsAppHook(BaseHook):
    """Reach WhatsApp through whichever gateway the connection is for.

    In an operator or a plain ``@task``, use the synchronous methods::

        WhatsAppHook("whatsapp_default").send_text("+15550000001", "Hello")

    In async code, use ``await hook.open()`` and the gateway's own methods.

    A message sent by :meth:`send` takes a place in the channel's pace, as far as the ledger can be had, but
    waits for none and isn't guarded: a retried task sends it again. Operators do better.

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

    @property
    def gateway(self) -> Gateway:
        """The gateway of the connection; no request is made.

        :raises ConfigurationError: if the connection is of another type or lacks something.
        """
        if self._gateway is None:
            connection = self.get_connection(self.whatsapp_conn_id)
            _check_extra(connection)
            extra = connection.extra_dejson
            for secret in _secrets(connection, extra):
                mask_secret(secret)
            self._gateway = _open(connection, extra)
        return self._gateway

    def get_conn(self) -> Gateway:
        """Return the gateway, under the name that Airflow's hooks use."""
        return self.gateway

    async def open(self) -> Gateway:
        """Return the gateway, from async code: a trigger or ``@task async def``."""
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        if self._gateway is None:
            connection = await get_async_connection(self.whatsapp_conn_id, hook=self)
            _check_extra(connection)
            extra = await get_async_extra_dejson(connection)
            for secret in _secrets(connection, extra):
                # It talks to the supervisor, which a loop must not wait for.
                await asyncio.to_thread(mask_secret, secret)
            self._gateway = _open(connection, extra)
        return self._gateway

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
        from whatsapp_provider.campaigns.identity import parse_recipient
        from whatsapp_provider.messages import parse_message

        recipient, parsed = parse_recipient(to), parse_message(message)
        self.gateway.capabilities.require_kind(self.gateway.name, parsed.kind)
        ref = self.channel_ref(channel)
        sender = self.gateway.channel(ref)
        try:
            result = self.run(sender.send(recipient.address, parsed))
        except BaseException as error:  # an interrupted send may have been made, too
            if not isinstance(error, WhatsAppError) or error.disposition is Disposition.HOLD:
                self._count(ref)
            raise
        self._count(ref)
        return result

    def send_text(self, to: str, text: str, *, channel: ChannelLike = None) -> SendResult:
        """Send a text message, once; see :meth:`send`."""
        return self.send(to, text, channel=channel)

    def message_status(self, message_id: str, *, channel: ChannelLike = None) -> MessageStatus:
        """Return how far a message has come."""
        self.gateway.capabilities.require(self.gateway.name, "message_status")
        return self.run(self._channel(channel).message_status(message_id))

    def test_connection(self) -> tuple[bool, str]:
        """Name what the connection reaches, or say what is wrong with it."""
        try:
            return True, self.run(self.gateway.test())
        except WhatsAppError as error:
            return False, str(error)

    def _count(self, ref: ChannelRef) -> None:
        """Let campaigns on the channel know of a message; that they can't undoes no send."""
        try:
            ledger = open_ledger()
            try:
                ledger.count_send(f"{ref.gateway}/{ref.channel_id}")
            finally:
                ledger.dispose()
        except Exception as error:  # whatever is wrong with it: the message was sent
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


def _open(connection: Any, extra: Mapping[str, Any]) -> Gateway:
    values = ConnectionValues(
        conn_id=connection.conn_id,
        host=connection.host or "",
        login=connection.login or "",
        schema=connection.schema or "",
        port=connection.port,
        password=connection.password or "",
        extra=extra,
    )
    return by_connection_type(connection.conn_type).open(values)


def _secrets(connection: Any, extra: Mapping[str, Any]) -> list[str]:
    named = [value for name, value in extra.items() if name.endswith(("_token", "_secret"))]
    return [value for value in (connection.password, *named) if isinstance(value, str) and value]
