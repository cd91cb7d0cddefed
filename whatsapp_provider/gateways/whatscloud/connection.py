"""The ``whatscloud`` connection: its form as data, and what the gateway reads from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import PORT_HINT, ConnectionForm, ConnectionValues

API_URL = "https://whatscloud.pro/api/v1"
RATE_LIMIT = (
    60  #: requests a minute that the vendor lets a token make, unless its administrator says otherwise
)

FORM = ConnectionForm(
    connection_type="whatscloud",
    label="WhatsApp: WhatsCloud",
    hook_class="whatsapp_provider.hooks.whatscloud.WhatsCloudHook",
    relabeling={"host": "API URL", "port": "Port", "password": "API token"},
    hidden=("schema", "login", "extra"),
    placeholders={"host": API_URL, "password": "the token of the API settings page", "port": PORT_HINT},
    fields={
        "tenant": {
            "label": "Tenant",
            "description": "Your workspace as it stands in the API's URLs: acme in …/api/v1/acme/templates.",
            "schema": {"type": ["string", "null"], "section": "Account"},
        },
        "webhook_secret": {
            "label": "Webhook secret",
            "description": "With which WhatsCloud signs what it posts to your webhook, as set on its webhook page.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "Account"},
        },
        "rate_limit": {
            "label": "Requests per minute",
            "description": "How many requests the token may make in a minute (default 60). Long lists are read no "
            "faster.",
            "schema": {"type": ["integer", "null"], "minimum": 1, "section": "Limits"},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds to wait for an answer (default 30).",
            "schema": {"type": ["number", "null"], "minimum": 1, "section": "Limits"},
        },
    },
)


@dataclass(frozen=True, slots=True)
class WhatsCloudConfig:
    """A ``whatscloud`` connection, read and checked.

    :param url: without the tenant.
    :param rate_limit: requests a minute.
    :param timeout: seconds to wait for an answer.
    """

    conn_id: str
    url: str
    tenant: str
    token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    rate_limit: int
    timeout: float

    @classmethod
    def read(cls, values: ConnectionValues) -> WhatsCloudConfig:
        """Read a connection.

        :raises ConfigurationError: if the token or the tenant is missing, or a value can't be used.
        """
        config = cls(
            conn_id=values.conn_id,
            url=values.base_url(API_URL).rstrip("/"),
            tenant=values.text("tenant"),
            token=values.token(values.password, "API token (Password)"),
            webhook_secret=values.text("webhook_secret"),
            rate_limit=int(values.number("rate_limit", RATE_LIMIT, minimum=1)),
            timeout=values.number("timeout", 30.0, minimum=1.0),
        )
        where = f"Connection {values.conn_id!r}"
        if not config.token:
            raise ConfigurationError(
                f"{where} has no API token (Password). Switch API access on in WhatsCloud's settings, generate a "
                "token there and save."
            )
        if not config.tenant:
            raise ConfigurationError(
                f"{where} names no tenant. Fill in the part of the API's URLs that names your workspace: acme in "
                "…/api/v1/acme/templates."
            )
        _check_tenant(config, where)
        return config


def _check_tenant(config: WhatsCloudConfig, where: str) -> None:
    name = config.tenant
    if not (name.isascii() and name.isprintable()) or set(name) & set(" /\\?#") or not name.strip("."):
        raise ConfigurationError(
            f"{where}: {name!r} can't be a tenant; it is one part of the API's URLs, such as acme, and no URL."
        )
    if config.url.lower().endswith(f"/{name.lower()}"):
        raise ConfigurationError(
            f"{where}: the API URL (Host) ends with the tenant already; leave it out there, it is added to each "
            "request."
        )
