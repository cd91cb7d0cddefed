"""Which gateways the demo knows, and how a connection to the emulator is filled in for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whatsapp_provider.demo.errors import UnknownGatewayError
from whatsapp_provider.demo.rest import Json


def _whapi(emulator: Json) -> Json:
    return {
        "conn_type": "whapi",
        "host": emulator["gate_url"],
        "password": emulator["partner_token"],
        "extra": {"manager_url": emulator["manager_url"]},
    }


DEFAULT_GATEWAY = "whapi"
_CONNECTIONS: Mapping[str, Callable[[Json], Json]] = {"whapi": _whapi}


def known_gateways() -> list[str]:
    """Return the names that ``--gateway`` takes."""
    return sorted(_CONNECTIONS)


def check_gateway(name: str) -> None:
    """Refuse a gateway that the demo doesn't know."""
    if name not in _CONNECTIONS:
        raise UnknownGatewayError(name, _CONNECTIONS)


def connection_fields(name: str, emulator: Json) -> Json:
    """Return the Airflow connection that reaches the emulator as this gateway."""
    check_gateway(name)
    return _CONNECTIONS[name](emulator)
