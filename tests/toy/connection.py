"""The ``toy`` connection: its form as data, and what the gateway reads from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import PORT_HINT, ConnectionForm, ConnectionValues

FORM = ConnectionForm(
    connection_type="toy",
    label="WhatsApp: Toy",
    hook_class="tests.toy.hook.ToyHook",
    relabeling={"host": "Server URL", "port": "Port", "password": "Account key"},
    hidden=("schema", "login", "extra"),
    placeholders={"host": "https://toy.example", "port": PORT_HINT},
    fields={
        "line_id": {
            "label": "Line",
            "description": "The line that is used where a task names none.",
            "schema": {"type": ["string", "null"], "section": "One line"},
        },
        "line_token": {
            "label": "Line key",
            "description": "Key of that line alone, instead of the account's.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "One line"},
        },
    },
)


@dataclass(frozen=True, slots=True)
class ToyConfig:
    """A ``toy`` connection, read and checked."""

    conn_id: str
    url: str
    account_key: str = field(repr=False)
    line_id: str
    line_key: str = field(repr=False)

    @classmethod
    def read(cls, values: ConnectionValues) -> ToyConfig:
        config = cls(
            values.conn_id,
            values.base_url("https://toy.example"),
            values.token(values.password, "account key (Password)"),
            values.text("line_id"),
            values.token(values.text("line_token"), "line key"),
        )
        if not config.account_key and not (config.line_id and config.line_key):
            raise ConfigurationError(
                f"Connection {values.conn_id!r} needs an account key, or a line and its key."
            )
        return config
