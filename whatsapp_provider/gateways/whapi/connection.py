"""The ``whapi`` connection: its form as data, and what the gateway reads from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import PORT_HINT, ConnectionForm, ConnectionValues

GATE_URL = "https://gate.whapi.cloud"
MANAGER_URL = "https://manager.whapi.cloud"

FORM = ConnectionForm(
    connection_type="whapi",
    label="WhatsApp: Whapi.Cloud",
    hook_class="whatsapp_provider.hooks.whapi.WhapiHook",
    relabeling={"host": "Gate URL", "port": "Port", "password": "Partner token"},
    hidden=("schema", "login", "extra"),
    placeholders={"host": GATE_URL, "password": "eyJhbGci…", "port": PORT_HINT},
    fields={
        "manager_url": {
            "label": "Manager URL",
            "description": f"Where channels are created. Leave empty for {MANAGER_URL}.",
            "schema": {"type": ["string", "null"], "section": "Account"},
        },
        "project_id": {
            "label": "Project",
            "description": "Project for new channels. Leave empty for the account's main project.",
            "schema": {"type": ["string", "null"], "section": "Account"},
        },
        "channel_token": {
            "label": "Channel token",
            "description": "Token of one channel, 32 characters. Enough by itself to send from that channel; "
            "leave empty where the partner token is given.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "One channel"},
        },
        "channel_id": {
            "label": "Channel id",
            "description": "The channel that is used where a task names none, e.g. SHAZAM-3HDYQ.",
            "schema": {"type": ["string", "null"], "section": "One channel"},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds to wait for an answer (default 30).",
            "schema": {"type": ["number", "null"], "minimum": 1, "section": "Limits"},
        },
        "creation_limit": {
            "label": "Channels per window",
            "description": "How many channels the account may create in one window (default 20).",
            "schema": {"type": ["integer", "null"], "minimum": 1, "section": "Limits"},
        },
        "creation_window": {
            "label": "Creation window",
            "description": "Length of that window in seconds (default 1800).",
            "schema": {"type": ["number", "null"], "minimum": 1, "section": "Limits"},
        },
    },
)


@dataclass(frozen=True, slots=True)
class WhapiConfig:
    """A ``whapi`` connection, read and checked.

    :param timeout: seconds to wait for an answer.
    :param creation_limit: channels that may be created within ``creation_window`` seconds; the vendor's
        default is 20 in 30 minutes and it raises it on request.
    """

    conn_id: str
    gate_url: str
    manager_url: str
    partner_token: str = field(repr=False)
    channel_token: str = field(repr=False)
    channel_id: str
    project_id: str
    timeout: float
    creation_limit: int
    creation_window: float

    @classmethod
    def read(cls, values: ConnectionValues) -> WhapiConfig:
        """Read a connection.

        :raises ConfigurationError: if no token is given or a value can't be used.
        """
        config = cls(
            conn_id=values.conn_id,
            gate_url=values.base_url(GATE_URL),
            manager_url=values.text("manager_url", MANAGER_URL),
            partner_token=values.token(values.password, "partner token (Password)"),
            channel_token=values.token(values.text("channel_token"), "channel token"),
            channel_id=values.text("channel_id"),
            project_id=values.text("project_id"),
            timeout=values.number("timeout", 30.0, minimum=1.0),
            creation_limit=int(values.number("creation_limit", 20, minimum=1)),
            creation_window=values.number("creation_window", 1800.0, minimum=1.0),
        )
        if not config.partner_token and not config.channel_token:
            raise ConfigurationError(
                f"Connection {values.conn_id!r} has no token. Fill in the partner token (to create and "
                "manage channels) or the channel token (to use one channel)."
            )
        return config
