"""Which gateways the demo knows: how a connection to the emulator is filled in, and how each tells of receipts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whatsapp_provider.demo.errors import UnknownGatewayError
from whatsapp_provider.demo.rest import Json
from whatsapp_provider.demo.tales import ONBOARDING, TEMPLATES, Tale


def _nothing(_inbox_url: str) -> Json:
    return {}


@dataclass(frozen=True)
class DemoGateway:
    """One gateway of the demo.

    :param connection: makes Airflow's connection from the emulator's addresses.
    :param receipt_event: the event by which a webhook learns that a message has come.
    :param tale: which example runs on it.
    :param settings: what its own pages set and no API does, as settings of the emulator; takes the webhook's URL.
    """

    connection: Callable[[Json], Json]
    receipt_event: str
    tale: Tale = ONBOARDING
    settings: Callable[[str], Json] = _nothing


def _whapi(emulator: Json) -> Json:
    return {
        "conn_type": "whapi",
        "host": emulator["gate_url"],
        "password": emulator["partner_token"],
        "extra": {"manager_url": emulator["manager_url"]},
    }


def _evolution(emulator: Json) -> Json:
    return {
        "conn_type": "evolution_api",
        "host": emulator["evolution_url"],
        "password": emulator["evolution_key"],
        "extra": {},
    }


def _waabot(emulator: Json) -> Json:
    return {
        "conn_type": "waabot",
        "host": emulator["waabot_url"],
        "password": emulator["waabot_token"],
        "extra": {"refresh_token": emulator["waabot_refresh_token"]},
    }


def _whatscloud(emulator: Json) -> Json:
    return {
        "conn_type": "whatscloud",
        "host": emulator["whatscloud_url"],
        "password": emulator["whatscloud_token"],
        "extra": {"tenant": emulator["whatscloud_tenant"]},
    }


def _whatscloud_pages(inbox_url: str) -> Json:
    return {"whatscloud_webhook_url": inbox_url}


DEFAULT_GATEWAY = "whapi"
_GATEWAYS: Mapping[str, DemoGateway] = {
    "evolution": DemoGateway(_evolution, "messages.update"),
    "waabot": DemoGateway(_waabot, "onAck"),
    "whapi": DemoGateway(_whapi, "statuses.post"),
    "whatscloud": DemoGateway(_whatscloud, "message.delivered", TEMPLATES, _whatscloud_pages),
}


def known_gateways() -> list[str]:
    """Return the names that ``--gateway`` takes."""
    return sorted(_GATEWAYS)


def demo_gateway(name: str) -> DemoGateway:
    """Return the gateway of that name, or refuse one that the demo doesn't know."""
    try:
        return _GATEWAYS[name]
    except KeyError:
        raise UnknownGatewayError(name, _GATEWAYS) from None


def connection_fields(name: str, emulator: Json) -> Json:
    """Return the Airflow connection that reaches the emulator as this gateway."""
    return demo_gateway(name).connection(emulator)
