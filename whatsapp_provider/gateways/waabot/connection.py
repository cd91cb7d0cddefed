"""The ``waabot`` connection: its form as data, and what the gateway reads from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import PORT_HINT, ConnectionForm, ConnectionValues

BASE_URL = "https://api.waabot.com/api/v1"
TEXT_CALLS = ("message", "deprecated")
LEAST_TIMEOUT = 30.0  #: seconds; sends take long, and giving one up leaves it in doubt

FORM = ConnectionForm(
    connection_type="waabot",
    label="WhatsApp: Bots API",
    hook_class="whatsapp_provider.hooks.waabot.WaabotHook",
    relabeling={"host": "Base URL", "port": "Port", "password": "Account token"},
    hidden=("schema", "login", "extra"),
    placeholders={"host": BASE_URL, "password": "eyJhbGci…", "port": PORT_HINT},
    fields={
        "refresh_token": {
            "label": "Refresh token",
            "description": "Came with the account token, which ends after a quarter of an hour; with this one the "
            "API renews it.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "Account"},
        },
        "session_secret": {
            "label": "Session id",
            "description": "The session_id of one bot. With that bot's access token enough to send from it; leave "
            "both empty where the account token is given.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "One channel"},
        },
        "access_token": {
            "label": "Access token",
            "description": "The access_token of that one bot.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "One channel"},
        },
        "channel_id": {
            "label": "Channel id",
            "description": "The bot that is used where a task names none: its _id, 24 letters and digits.",
            "schema": {"type": ["string", "null"], "section": "One channel"},
        },
        "text_call": {
            "label": "Text call",
            "description": "How texts are sent: message (default), or deprecated for the older call, which tells the "
            "message's id.",
            "schema": {"type": ["string", "null"], "enum": list(TEXT_CALLS), "section": "Server"},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds to wait for an answer (default 30).",
            "schema": {"type": ["number", "null"], "minimum": LEAST_TIMEOUT, "section": "Limits"},
        },
    },
)


@dataclass(frozen=True, slots=True)
class Pair:
    """What opens one bot. A secret, both halves of it."""

    session_id: str = field(repr=False)
    access_token: str = field(repr=False)

    def fields(self) -> dict[str, str]:
        """Return the pair as it is written into a body or a query."""
        return {"session_id": self.session_id, "access_token": self.access_token}

    def secrets(self) -> tuple[str, str]:
        """Return what must not be told."""
        return self.session_id, self.access_token


@dataclass(frozen=True, slots=True)
class WaabotConfig:
    """A ``waabot`` connection, read and checked.

    :param url: of the API, with its path.
    :param pair: of one bot, where the connection gives it.
    :param channel_id: ``_id`` of that bot, or of the one that is used where none is named.
    :param timeout: seconds to wait for an answer.
    """

    conn_id: str
    url: str
    account_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    pair: Pair | None
    channel_id: str
    uses_deprecated_text: bool
    timeout: float

    @classmethod
    def read(cls, values: ConnectionValues) -> WaabotConfig:
        """Read a connection.

        :raises ConfigurationError: if no credential is given, half a pair, or a value that can't be used.
        """
        where = f"Connection {values.conn_id!r}"
        if "session_id" in values.extra:
            raise ConfigurationError(
                f"{where}: write the session id as 'session_secret'. It is half of what opens the bot, and Airflow "
                "masks extra fields by such names only."
            )
        text_call = values.text("text_call", TEXT_CALLS[0]).lower()
        if text_call not in TEXT_CALLS:
            raise ConfigurationError(
                f"{where}: extra field 'text_call' must be one of {', '.join(TEXT_CALLS)}."
            )
        config = cls(
            conn_id=values.conn_id,
            url=values.base_url(BASE_URL),
            account_token=values.token(values.password, "account token (Password)"),
            refresh_token=values.token(values.text("refresh_token"), "refresh token"),
            pair=_pair(values),
            channel_id=values.text("channel_id"),
            uses_deprecated_text=text_call == "deprecated",
            timeout=values.number("timeout", LEAST_TIMEOUT, minimum=LEAST_TIMEOUT),
        )
        if not config.account_token and config.pair is None:
            raise ConfigurationError(
                f"{where} has no token. Fill in the account token (to create and manage bots), or session id and "
                "access token (to use one bot)."
            )
        return config


def _pair(values: ConnectionValues) -> Pair | None:
    session_id = values.token(values.text("session_secret"), "session id")
    access_token = values.token(values.text("access_token"), "access token")
    if bool(session_id) is not bool(access_token):
        lacking = "access token" if session_id else "session id"
        raise ConfigurationError(
            f"Connection {values.conn_id!r} has half of a bot's pair; fill in the {lacking} too, or leave both empty."
        )
    return Pair(session_id, access_token) if session_id else None
