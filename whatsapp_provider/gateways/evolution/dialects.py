"""The two dialects of Evolution API, and which one a server speaks.

Version 1 takes flat bodies in snake case, version 2 nested ones in camel case, and either drops or refuses the
other's (captured from 2.3.6; documented create and source of 1.8). Answers are read in both shapes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlsplit

from whatsapp_provider.errors import (
    ConfigurationError,
    Disposition,
    GatewayError,
    NotReachedError,
)
from whatsapp_provider.http import ApiClient

#: Seconds for the server to tell its version; 2.3 asks WhatsApp's own site for each such answer.
VERSION_WITHIN = 15.0


class Dialect(StrEnum):
    """How a server wants to be asked."""

    V1 = "v1"
    V2 = "v2"


_SHARED = frozenset(
    {
        "APPLICATION_STARTUP",
        "QRCODE_UPDATED",
        "MESSAGES_SET",
        "MESSAGES_UPSERT",
        "MESSAGES_UPDATE",
        "MESSAGES_DELETE",
        "SEND_MESSAGE",
        "CONTACTS_SET",
        "CONTACTS_UPSERT",
        "CONTACTS_UPDATE",
        "PRESENCE_UPDATE",
        "CHATS_SET",
        "CHATS_UPSERT",
        "CHATS_UPDATE",
        "CHATS_DELETE",
        "GROUPS_UPSERT",
        "GROUP_UPDATE",
        "GROUP_PARTICIPANTS_UPDATE",
        "CONNECTION_UPDATE",
        "LABELS_EDIT",
        "LABELS_ASSOCIATION",
        "CALL",
        "TYPEBOT_START",
        "TYPEBOT_CHANGE_STATUS",
    }
)
#: The names of events that a server accepts.
EVENTS = {
    Dialect.V1: _SHARED | {"NEW_JWT_TOKEN", "CHAMA_AI_ACTION"},
    Dialect.V2: _SHARED
    | {
        "MESSAGES_EDITED",
        "SEND_MESSAGE_UPDATE",
        "REMOVE_INSTANCE",
        "LOGOUT_INSTANCE",
        "INSTANCE_CREATE",
        "INSTANCE_DELETE",
        "STATUS_INSTANCE",
    },
}
#: What a campaign needs to be told. QRCODE_UPDATED is not among them: whoever has the code can take the channel;
#: nor is REMOVE_INSTANCE: a webhook that fails would hold up the deletion of its instance.
DEFAULT_EVENTS = ("CONNECTION_UPDATE", "MESSAGES_UPDATE", "MESSAGES_UPSERT", "SEND_MESSAGE")


def check_events(events: Iterable[str], dialect: Dialect) -> list[str]:
    """Return the events, or the default ones where none are given, sorted and each once.

    :raises ConfigurationError: naming those that a server of this version does not know.
    """
    wanted = sorted(set(events)) or list(DEFAULT_EVENTS)
    unknown = [event for event in wanted if event not in EVENTS[dialect]]
    if unknown:
        raise ConfigurationError(
            f"Evolution API {dialect} has no event {', '.join(map(repr, unknown))}. It has: "
            f"{', '.join(sorted(EVENTS[dialect]))}."
        )
    return wanted


class Server:
    """One server, asked once which version it is.

    :param client: without a key, which the first page of a server does not need.
    :param api_version: of the connection; ``auto`` asks the server.
    """

    def __init__(self, client: ApiClient, base_url: str, api_version: str) -> None:
        self._client = client
        self._host = urlsplit(base_url).netloc
        self._pinned = None if api_version == "auto" else Dialect(api_version)
        self._version = ""
        self._asking = asyncio.Lock()

    async def dialect(self) -> Dialect:
        """Return how the server wants to be asked.

        :raises ConfigurationError: if another program answers at the URL.
        :raises GatewayError: if nothing answers.
        """
        if self._pinned is not None:
            return self._pinned
        try:
            # The wait for others who ask is in the bound: a send must not begin later than it is allowed to.
            async with asyncio.timeout(VERSION_WITHIN), self._asking:
                if not self._version:
                    self._version = await self._asked()
        except TimeoutError:
            raise NotReachedError(
                f"{self._host} did not tell its version within {VERSION_WITHIN:g} s. A server without a way to "
                "WhatsApp's site is slow at it; the connection's API version saves the question.",
                code="version_not_had",
            ) from None
        return Dialect.V1 if self._version.startswith("1.") else Dialect.V2

    async def before_sending(self) -> Dialect:
        """Return the dialect for a request that is made once; that it could not be had puts nothing in doubt."""
        try:
            return await self.dialect()
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD:
                raise
            raise NotReachedError(
                f"{error} That was the question for the server's version: nothing was sent or created.",
                code="version_not_had",
            ) from None

    async def described(self) -> str:
        """Return the server's version and host, as far as they are known without asking for more."""
        await self.dialect()
        return f"Evolution API {self._version or self._pinned} at {self._host}"

    async def _asked(self) -> str:
        """Return the version that the first page tells, e.g. ``2.3.6``."""
        try:
            body = await self._client.get("/")
        except GatewayError as error:
            if error.is_transient and error.code != "unreadable":
                raise
            raise self._another(str(error)) from None
        version = body.get("version") if isinstance(body, dict) else None
        welcome = f"{body.get('message')} {body.get('clientName')}" if isinstance(body, dict) else ""
        if not isinstance(version, str) or not re.match(r"\d+\.", version):
            raise self._another("its first page tells no version.")
        if "evolution" not in welcome.lower():
            raise self._another("its first page does not name Evolution API.")
        return version

    def _another(self, seen: str) -> ConfigurationError:
        return ConfigurationError(
            f"No Evolution API answers at {self._host}, but another program: {seen} Mend the server URL of the "
            "connection; where a proxy hides the first page, set the connection's API version."
        )
