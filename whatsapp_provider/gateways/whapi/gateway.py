"""One Whapi connection: an account by its partner token, channels by their own tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time

from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    GatewayError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    QuotaExceededError,
)
from whatsapp_provider.gateways.connection import ConnectionValues, check_gateway, fingerprint
from whatsapp_provider.gateways.whapi.account import WhapiAccount
from whatsapp_provider.gateways.whapi.answers import classify_gate, classify_manager
from whatsapp_provider.gateways.whapi.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whapi.channel import WhapiChannel
from whatsapp_provider.gateways.whapi.connection import WhapiConfig
from whatsapp_provider.http import ApiClient, Sleep, check_url
from whatsapp_provider.model import ChannelRef, ChannelState, ChannelStatus
from whatsapp_provider.transport import Timeouts, Wire

TOKEN_WITHIN = 10.0  #: seconds for the manager to tell a channel's token


def open_gateway(
    values: ConnectionValues, *, wire: Wire | None = None, sleep: Sleep | None = None
) -> WhapiGateway:
    """Return the gateway of a connection.

    :raises ConfigurationError: if the connection lacks a token or a value can't be used.
    """
    return WhapiGateway(WhapiConfig.read(values), wire, sleep=sleep or asyncio.sleep)


class WhapiGateway:
    """See :class:`whatsapp_provider.gateways.base.Gateway`."""

    name = "whapi"
    capabilities = CAPABILITIES
    channel_scope = ""  # the vendor gives each id once

    def __init__(
        self,
        config: WhapiConfig,
        wire: Wire | None = None,
        *,
        now: Callable[[], float] = time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        for label, url in (("gate URL (Host)", config.gate_url), ("manager URL", config.manager_url)):
            check_url(url, f"Connection {config.conn_id!r}, {label}")
        self._config = config
        self._wire = wire
        self._now = now
        self._sleep = sleep
        self._timeouts = Timeouts(read=config.timeout, write=config.timeout)
        # Tokens stay in this object: looked up once, never in XCom, logs or the ledger.
        self._tokens: dict[str, str] = {}

    @property
    def default_channel(self) -> ChannelRef | None:
        """The channel of the connection's own fields."""
        config = self._config
        if config.channel_id:
            return ChannelRef(self.name, config.channel_id)
        if config.channel_token:
            # The token is the only name of the channel; its hash is stable and no secret.
            return ChannelRef(self.name, f"token-{fingerprint(config.channel_token)}")
        return None

    @property
    def account_key(self) -> str:
        """A hash that names the account."""
        config = self._config
        return f"{self.name}/{fingerprint(config.partner_token or config.channel_token)}"

    @property
    def send_timeout(self) -> float:
        """The channel's token and one whole exchange, each at its longest."""
        return TOKEN_WITHIN + self._timeouts.total

    @property
    def creation_limit(self) -> tuple[int, float]:
        """Channels and seconds; 20 in 30 minutes unless the connection says otherwise."""
        return self._config.creation_limit, self._config.creation_window

    def account(self) -> WhapiAccount:
        """Return the account of the partner token."""
        token = self._config.partner_token
        if not token:
            raise ConfigurationError(
                f"Connection {self._config.conn_id!r} has only a channel token; creating, finding and "
                "deleting channels needs the partner token (Password)."
            )
        client = self._client(self._config.manager_url, "Whapi manager", token)
        return WhapiAccount(client, self._config)

    def channel(self, ref: ChannelRef) -> WhapiChannel:
        """Return one channel; its token is asked for at the first request."""
        check_gateway(ref, self.name, self._config.conn_id)

        async def client() -> ApiClient:
            token = await self._token(ref)
            return self._client(self._config.gate_url, "Whapi gate", token, gate=True)

        async def explain(refusal: GatewayError) -> ChannelStatus:
            return await self._explain(ref, refusal)

        return WhapiChannel(client, explain, None if self._is_nameless(ref) else ref.channel_id)

    async def test(self) -> str:
        """Ask for the account, or for the channel where only its token is given."""
        if self._config.partner_token:
            return await self.account().describe()
        ref = self.default_channel
        if ref is None:
            raise ConfigurationError(f"Connection {self._config.conn_id!r} has no token.")
        status = await self.channel(ref).status()
        if status.state is ChannelState.PROVISIONING:
            raise NotFoundError(
                "Whapi's gate knows no channel of this token: it is wrong, deleted, or only just created."
            )
        return f"Whapi channel {ref.channel_id}, {status.state.value} ({status.detail})"

    def _client(self, url: str, label: str, token: str, *, gate: bool = False) -> ApiClient:
        return ApiClient(
            url,
            label=label,
            headers={"authorization": f"Bearer {token}"},
            secrets=(token, self._config.partner_token, self._config.channel_token),
            timeouts=self._timeouts,
            classify=classify_gate if gate else classify_manager,
            wire=self._wire,
            sleep=self._sleep,
        )

    def _is_own(self, ref: ChannelRef) -> bool:
        """Whether the connection's channel token is that of ``ref``."""
        own = self.default_channel
        return bool(self._config.channel_token) and own is not None and own.channel_id == ref.channel_id

    def _is_nameless(self, ref: ChannelRef) -> bool:
        """Whether ``ref`` stands for the connection's channel token, whose channel id nobody gave."""
        return self._is_own(ref) and not self._config.channel_id

    async def _token(self, ref: ChannelRef) -> str:
        config = self._config
        if self._is_own(ref):
            return config.channel_token
        if not config.partner_token:
            raise ConfigurationError(
                f"Connection {config.conn_id!r} has the token of one channel, and that is not known to be "
                f"{ref.channel_id!r}. Name no channel in the task, or fill in the connection's channel id."
            )
        if ref.channel_id not in self._tokens:
            self._tokens[ref.channel_id] = await self._asked_token(ref)
        return self._tokens[ref.channel_id]

    async def _asked_token(self, ref: ChannelRef) -> str:
        try:
            async with asyncio.timeout(TOKEN_WITHIN):
                payload = await self.account().channel_payload(ref.channel_id)
        except TimeoutError:
            raise NoAnswerError(
                f"The Whapi manager did not give the channel's token within {TOKEN_WITHIN:g} s."
            ) from None
        if payload is None:
            raise _deleted(ref)
        if not payload.token:
            raise ConfigurationError(
                f"The Whapi manager does not tell the token of channel {ref.channel_id!r}; fill in channel id "
                "and channel token of the connection."
            )
        return payload.token

    async def _explain(self, ref: ChannelRef, refusal: GatewayError) -> ChannelStatus:
        """Tell a channel that is not served yet from one that never will be."""
        if not self._config.partner_token or self._is_nameless(ref):
            return _unexplained(refusal)
        payload = await self.account().channel_payload(ref.channel_id)
        if payload is None:
            raise _deleted(ref) from refusal
        if payload.is_stopped:
            return ChannelStatus(ChannelState.STOPPED, detail="stopped or blocked, says the manager")
        if payload.activeTill and payload.activeTill / 1000 <= self._now():
            return ChannelStatus(ChannelState.STOPPED, detail="its paid or trial time is over; extend it")
        if isinstance(refusal, NotFoundError | CredentialRejectedError) and payload.token:
            self._compare(ref, payload.token)
        if isinstance(refusal, NotFoundError):
            return ChannelStatus(ChannelState.PROVISIONING, detail="the gate does not serve it yet")
        return _unexplained(refusal)

    def _compare(self, ref: ChannelRef, token: str) -> None:
        """Use the manager's token from now on where it has changed; refuse a connection with another one."""
        if self._is_own(ref) and token != self._config.channel_token:
            raise CredentialRejectedError(
                f"The channel token of connection {self._config.conn_id!r} is not the one of channel "
                f"{ref.channel_id!r}. Correct it, or leave it empty: the partner token is enough."
            )
        self._tokens[ref.channel_id] = token


def _unexplained(refusal: GatewayError) -> ChannelStatus:
    """Return what a refusal of the gate means by itself, or raise it."""
    if isinstance(refusal, NotFoundError):
        return ChannelStatus(ChannelState.PROVISIONING, detail=str(refusal))
    if isinstance(refusal, QuotaExceededError):
        return ChannelStatus(ChannelState.STOPPED, detail=str(refusal))
    if isinstance(refusal, NotConnectedError):
        return ChannelStatus(ChannelState.INITIALIZING, detail=str(refusal))
    raise refusal


def _deleted(ref: ChannelRef) -> NotFoundError:
    name = f" ({ref.name})" if ref.name else ""
    return NotFoundError(
        f"Whapi knows no channel {ref.channel_id!r}{name}; it was deleted or belongs to another account."
    )
