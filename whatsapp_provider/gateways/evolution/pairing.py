"""Pair an instance with a phone: QR codes and pairing codes (answers captured from 2.3.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from whatsapp_provider.errors import (
    AlreadyConnectedError,
    GatewayError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.gateways.evolution.payloads import ConnectAnswer, StateAnswer, image, read
from whatsapp_provider.gateways.evolution.states import status_of
from whatsapp_provider.gateways.reading import pairing_digits
from whatsapp_provider.http import ApiClient, Effect, Sleep, segment
from whatsapp_provider.model import ChannelState, ChannelStatus, Pairing, PairingKind

CLOSED_WITHIN = 10.0  #: seconds that the end of a session is waited for
LOOK_EVERY = 0.5  #: seconds between looks
CODE_LOOKS = 5  #: how often a pairing code is asked for; it comes a second or two after the connection


class Pairer:
    """Pairing of one instance.

    :param status: looks at the channel.
    """

    def __init__(
        self, client: ApiClient, name: str, status: Callable[[], Awaitable[ChannelStatus]], sleep: Sleep
    ) -> None:
        self._client = client
        self._name = name
        self._status = status
        self._sleep = sleep

    async def qr(self) -> Pairing | None:
        """Return the QR code, ``None`` while there is none; asking makes a closed instance connect."""
        answer = await self._connect()
        if not (answer.base64 or answer.code):
            return None
        picture = image(answer.base64) if answer.base64 else None
        return Pairing(PairingKind.QR, image=picture, raw=answer.code)

    async def code(self, phone: str) -> Pairing:
        """Return a pairing code for that number.

        A server makes one only when a closed instance connects; while it connects it gives back the code of
        whoever asked before. So one that shows QR codes, and has no phone to lose, is closed first.
        """
        digits = pairing_digits(phone)
        status = await self._status()
        if status.state is ChannelState.CONNECTED:
            raise _paired(self._name)
        if status.state is ChannelState.INITIALIZING:
            raise TemporarilyUnavailableError(
                f"Instance {self._name!r} is connecting ({status.detail}) and may have a phone; try again in a moment."
            )
        if await self._state() == "connecting":
            await self.logout()
        for look in range(CODE_LOOKS):
            if look:
                await self._sleep(LOOK_EVERY)
            answer = await self._connect(number=digits)
            if answer.pairingCode:
                return Pairing(PairingKind.CODE, code=answer.pairingCode)
        raise TemporarilyUnavailableError(
            f"The server gave no pairing code for instance {self._name!r}: does it reach WhatsApp, and is the "
            "integration WHATSAPP-BAILEYS? Try again in a moment."
        )

    async def logout(self) -> bool:
        """End the session and wait until it is closed: the server answers before that.

        :raises TemporarilyUnavailableError: if it says that it did, and did not.
        """
        try:
            await self._client.request("DELETE", self._path("logout"), effect=Effect.IDEMPOTENT)
        except GatewayError as error:
            if error.status == 400 and "not connected" in str(error):
                return False
            raise
        waited = 0.0
        while await self._state() not in {"close", "refused"}:
            if waited >= CLOSED_WITHIN:
                raise TemporarilyUnavailableError(
                    f"The server says that it logged instance {self._name!r} out, and it is not closed after "
                    f"{waited:g} s. Restart it and log it out again, or delete it.",
                    code="logout_pending",
                )
            await self._sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        return True

    async def _state(self) -> str | None:
        body = await self._client.get(self._path("connectionState"))
        return read(StateAnswer, body).instance.state

    async def _connect(self, **params: str) -> ConnectAnswer:
        """Make the instance connect; the answer has four shapes, all of them 200."""
        request = await self._client.request(
            "GET", self._path("connect"), effect=Effect.IDEMPOTENT, params=params or None
        )
        answer = read(ConnectAnswer, request.json())
        if answer.error:
            raise TemporarilyUnavailableError(
                f"The server failed to connect instance {self._name!r} and does not say why. Try again in a moment; "
                "if it stays so, log the instance out, or delete and create it.",
                status=200,
                code="connect_failed",
            )
        if (
            answer.instance is not None
            and status_of(answer.instance.state, None).state is ChannelState.CONNECTED
        ):
            raise _paired(self._name)
        return answer

    def _path(self, action: str) -> str:
        return f"/instance/{action}/{segment(self._name)}"


def _paired(name: str) -> AlreadyConnectedError:
    return AlreadyConnectedError(f"Instance {name!r} is connected already; log it out to pair it anew.")
