"""The gateways there are: a sorted table, loaded lazily.

Adding a gateway adds one line. Nothing here, nor what it loads for a form, imports an HTTP client,
SQLAlchemy or Airflow; a name always comes from this table, never from a connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from whatsapp_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import Capabilities, Gateway
    from whatsapp_provider.gateways.connection import ConnectionForm, ConnectionValues
    from whatsapp_provider.transport import Wire

    Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class GatewayLine:
    """One line of the table.

    :param name: what ``ChannelRef.gateway`` holds.
    :param connection_type: Airflow's connection type.
    :param folder: the package with ``connection.py`` (the form) and ``gateway.py``.
    """

    name: str
    connection_type: str
    folder: str

    @property
    def form(self) -> ConnectionForm:
        """The connection form, as data."""
        return cast("ConnectionForm", import_module(f"{self.folder}.connection").FORM)

    @property
    def capabilities(self) -> Capabilities:
        """What the gateway can do."""
        return cast("Capabilities", import_module(f"{self.folder}.gateway").CAPABILITIES)

    def open(
        self, values: ConnectionValues, *, wire: Wire | None = None, sleep: Sleep | None = None
    ) -> Gateway:
        """Return the gateway for a connection; no request is made yet.

        :param wire: pools of one's own, for tests.
        :param sleep: waits between looks and retries, for tests.
        :raises ConfigurationError: if the connection lacks something.
        """
        module = import_module(f"{self.folder}.gateway")
        return cast("Gateway", module.open_gateway(values, wire=wire, sleep=sleep))


_LINES: dict[str, GatewayLine] = {
    "evolution": GatewayLine("evolution", "evolution_api", "whatsapp_provider.gateways.evolution"),
    "waabot": GatewayLine("waabot", "waabot", "whatsapp_provider.gateways.waabot"),
    "whapi": GatewayLine("whapi", "whapi", "whatsapp_provider.gateways.whapi"),
    "whatscloud": GatewayLine("whatscloud", "whatscloud", "whatsapp_provider.gateways.whatscloud"),
}
#: The table itself. A view, so that a test can add a gateway of its own and nobody else changes anything.
GATEWAYS: Mapping[str, GatewayLine] = MappingProxyType(_LINES)


def by_connection_type(connection_type: str) -> GatewayLine:
    """Return the line of a connection type.

    :raises ConfigurationError: naming the types there are.
    """
    for line in GATEWAYS.values():
        if line.connection_type == connection_type:
            return line
    known = ", ".join(line.connection_type for line in GATEWAYS.values())
    if not connection_type:
        # Airflow finds no type before the :// of a URI where an underscore is in it.
        raise ConfigurationError(
            f"The connection has no type. Use one of: {known}; where it is written as a URI, with '-' for '_'."
        )
    raise ConfigurationError(
        f"Connection type {connection_type!r} is not a WhatsApp gateway. Use one of: {known}."
    )
