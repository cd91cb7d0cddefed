"""An Evolution server's instances, by its global key (answers captured from 2.3.6; source of 1.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NameTakenError,
    NoAnswerError,
    NotConnectedError,
    NotFoundError,
    RequestRejectedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.gateways.evolution.answers import NO_SUCH_ROUTE, is_missing
from whatsapp_provider.gateways.evolution.bodies import create_body
from whatsapp_provider.gateways.evolution.capabilities import CAPABILITIES
from whatsapp_provider.gateways.evolution.connection import EvolutionConfig, check_name
from whatsapp_provider.gateways.evolution.dialects import Dialect, Server
from whatsapp_provider.gateways.evolution.options import read_options
from whatsapp_provider.gateways.evolution.payloads import (
    ConnectAnswer,
    CreatedAnswer,
    InstanceRow,
    read,
    read_list,
)
from whatsapp_provider.gateways.limited import LimitedAccount
from whatsapp_provider.http import ApiClient, Effect, Sleep, segment
from whatsapp_provider.model import Channel, ChannelRef, ChannelSpec

CREATE_WITHIN = 15.0  #: seconds more that a create may take, which waits 5 s for a QR code
DELETED_WITHIN = 20.0  #: seconds that a deletion is waited for
LOOK_EVERY = 1.0  #: seconds between looks
NAME_FREE_AFTER = 10.0  #: seconds after which a name that is being given up may be asked for again


class EvolutionAccount(LimitedAccount):
    """All instances of one server."""

    gateway = "evolution"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient, server: Server, config: EvolutionConfig, sleep: Sleep) -> None:
        self._client = client
        self._server = server
        self._config = config
        self._sleep = sleep

    async def describe(self) -> str:
        """Check the key, and say which server it is and how many instances it has."""
        about = await self._server.described()
        await self._check_key()
        return f"{about}, {len(await self._rows())} instances"

    async def _check_key(self) -> None:
        try:
            answer = await self._client.request("POST", "/verify-creds", effect=Effect.READ, json={})
        except RequestRejectedError as error:
            if (
                error.code == NO_SUCH_ROUTE
            ):  # older ones have none; the list of instances will refuse a wrong key
                return
            raise
        body = answer.json()
        if not (isinstance(body, dict) and "credential" in str(body.get("message")).lower()):
            raise ConfigurationError(
                f"Connection {self._config.conn_id!r}: what answers at the server URL is no Evolution API, but "
                "another program. Mend the server URL."
            )

    async def list_channels(self) -> Sequence[Channel]:
        """Return all instances; the server has no pages."""
        return [_channel(row) for row in await self._rows()]

    async def find_channel(self, name: str, *, project: str | None = None) -> Channel | None:
        """Return the instance of that exact name."""
        if project:
            raise _no_projects(project)
        return await self.get_channel(name)

    async def get_channel(self, channel_id: str) -> Channel | None:
        """Return the instance of that name, which is its id; what can't be a name is not asked for."""
        try:
            check_name(channel_id)
        except ConfigurationError:
            return None
        found = [row for row in await self._rows(channel_id) if row.name == channel_id]
        return _channel(found[0]) if found else None

    async def create_channel(self, spec: ChannelSpec) -> Channel:
        """Create an instance. Creating one name twice at once destroys both, so it is looked at afterwards.

        :raises ConfigurationError: for a name or an option that this version of the server does not know.
        :raises NameTakenError: if there is one of that name.
        :raises TemporarilyUnavailableError: while the server still gives up an earlier one of that name.
        """
        if spec.project:
            raise _no_projects(spec.project)
        name = check_name(spec.name, what="instance; the channel's name")
        options = read_options(spec.options, default_integration=self._config.integration)
        body = create_body(name, options, await self._server.before_sending())
        try:
            answer = await self._client.request(
                "POST",
                "/instance/create",
                effect=Effect.ONCE,
                json=body,
                answer_within=self._config.timeout + CREATE_WITHIN,
            )
        except NameTakenError as error:
            raise await self._taken(name, error) from None
        if read(CreatedAnswer, answer.json()).instance.instanceName != name:
            raise NoAnswerError(
                f"The server answered with another instance than {name!r}.", code="unreadable"
            )
        return await self._created(name)

    async def _created(self, name: str) -> Channel:
        try:
            channel = await self.get_channel(name)
        except GatewayError as error:
            raise NoAnswerError(
                f"The server created instance {name!r}, and could not be asked for it: {error}",
                code="created_unseen",
            ) from error
        if channel is None:
            raise NoAnswerError(
                f"The server created instance {name!r} and has it no longer: two creations of one name at the same "
                "time destroy it. Create it again when nobody else does.",
                code="created_and_gone",
            )
        return channel

    async def _taken(self, name: str, error: NameTakenError) -> GatewayError:
        """Tell a name that somebody has from one that a deleted instance has not given up yet."""
        if await self.get_channel(name) is not None:
            return error
        return TemporarilyUnavailableError(
            f"The server says that the name {name!r} is in use, and has no such instance: it is still giving up one "
            "that was deleted. Nothing was created; try again in a moment.",
            status=error.status,
            retry_after=NAME_FREE_AFTER,
            code="name_not_free_yet",
        )

    async def delete_channel(self, channel_id: str) -> bool:
        """Delete an instance and wait until it is gone: the server answers before it begins.

        :raises TemporarilyUnavailableError: if it is still there after a while.
        """
        try:
            await self._client.request(
                "DELETE", f"/instance/delete/{segment(channel_id)}", effect=Effect.ONCE
            )
        except NotFoundError as error:
            if is_missing(error):
                return False
            raise
        except GatewayError as error:
            if error.status == 400:
                raise RequestRejectedError(
                    f"{error} Before it deletes an instance the server logs it out, and that failed; instance "
                    f"{channel_id!r} is still there. Restart it, or log it out, and delete it again.",
                    status=400,
                    code="delete_failed",
                ) from None
            if error.disposition is not Disposition.HOLD or not await self._is_gone(channel_id):
                raise
            return True
        waited = 0.0
        while not await self._is_gone(channel_id):
            if waited >= DELETED_WITHIN:
                raise TemporarilyUnavailableError(
                    f"The server took the deletion of instance {channel_id!r} and still has it after {waited:g} s: "
                    "it waits for the instance's webhook, which may be failing, and deletes afterwards. Look again "
                    "in some minutes.",
                    code="deletion_pending",
                )
            await self._sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        return True

    async def _is_gone(self, name: str) -> bool:
        try:
            await self._client.get(f"/instance/connectionState/{segment(name)}")
        except NotFoundError as error:
            if is_missing(error):
                return True
            raise
        return False

    async def restart_channel(self, channel_id: str) -> None:
        """Restart an instance that has a session.

        :raises NotConnectedError: if it has none, where a restart does nothing.
        """
        dialect = await self._server.dialect()
        method = "PUT" if dialect is Dialect.V1 else "POST"
        path = f"/instance/restart/{segment(channel_id)}"
        answer = await self._client.request(method, path, effect=Effect.IDEMPOTENT)
        if read(ConnectAnswer, answer.json()).error:
            raise NotConnectedError(
                f"Instance {channel_id!r} is closed, and the server restarts only what is connected. Pair it instead.",
                status=200,
                code="restart_of_closed",
            )

    async def _rows(self, name: str | None = None) -> list[InstanceRow]:
        params = {"instanceName": name} if name else None
        try:
            body: Any = await self._client.get("/instance/fetchInstances", params=params)
        except NotFoundError as error:
            if is_missing(error) and name:
                return []
            raise
        return read_list(InstanceRow, [body] if isinstance(body, dict) else body)


async def row_of(client: ApiClient, name: str) -> InstanceRow | None:
    """Return an instance's row for the key of ``client``, ``None`` if that key may not see it.

    :raises NotFoundError: if there is no such instance.
    """
    try:
        body = await client.get("/instance/fetchInstances", params={"instanceName": name})
    except CredentialRejectedError:
        return None  # the instance's own key, at versions that list instances for the global one only
    rows = read_list(InstanceRow, [body] if isinstance(body, dict) else body)
    return next((row for row in rows if row.name == name), None)


def _channel(row: InstanceRow) -> Channel:
    return Channel(ChannelRef("evolution", row.name, row.name), mode=row.integration)


def _no_projects(project: str) -> ConfigurationError:
    return ConfigurationError(f"Evolution API has no projects; leave out project={project!r}.")
