"""What a gateway takes from a connection, without Airflow: the form as data, and the values typed into it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import ChannelRef

#: What the empty port field says. Airflow 3.3.2 sends 0 for no port when its Test button is pressed, takes that
#: for another server than the stored one, and refuses (apache/airflow#73298); with a port it does test.
PORT_HINT = "443, which the Test button of Airflow 3.3.2 needs"
LONGEST_SERVER = 80  #: characters of its address in a channel's name in the ledger
#: Whom a notification goes to that names nobody; Airflow's edge reads it, so that no gateway has to.
NOTIFY_FIELD = "notify_to"
#: What every gateway's form has beside its own fields.
SHARED_FIELDS: Mapping[str, Mapping[str, Any]] = {
    NOTIFY_FIELD: {
        "label": "Notify",
        "description": "Who gets a notification that names nobody: a phone number with country code, or a WhatsApp "
        "id; several with commas between.",
        "schema": {"type": ["string", "null"], "section": "Notifications"},
    },
}


@dataclass(frozen=True, slots=True)
class ConnectionForm:
    """The form that Airflow shows for a connection type.

    :param relabeling: names of the standard fields that are used, e.g. ``{"password": "Partner token"}``.
    :param hidden: standard fields that are not used.
    :param fields: further fields as Airflow's ``conn-fields``: JSON schemas, kept in the connection's extra.
        Airflow masks by name, so a secret one must end in ``_token`` or ``_secret``. Those that every gateway
        has come after them by themselves.
    """

    connection_type: str
    label: str
    hook_class: str
    relabeling: Mapping[str, str]
    hidden: tuple[str, ...]
    placeholders: Mapping[str, str]
    fields: Mapping[str, Mapping[str, Any]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", {**self.fields, **SHARED_FIELDS})

    def behaviour(self) -> dict[str, Any]:
        """Return what Airflow calls the field behaviour, with its own hyphened keys."""
        return {
            "hidden-fields": list(self.hidden),
            "relabeling": dict(self.relabeling),
            "placeholders": dict(self.placeholders),
        }


@dataclass(frozen=True, slots=True)
class ConnectionValues:
    """The values of one connection; the password and the extras are never in ``repr``."""

    conn_id: str
    host: str = ""
    login: str = ""
    schema: str = ""
    port: int | None = None
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def text(self, name: str, default: str = "") -> str:
        """Return an extra field as text, without blanks around it.

        :raises ConfigurationError: if it is something else.
        """
        value = self._given(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise ConfigurationError(
                f"Connection {self.conn_id!r}: extra field {name!r} must be text, not {type(value).__name__}."
            )
        return value.strip()

    def _given(self, name: str) -> Any:
        value = self.extra.get(name)
        return None if isinstance(value, str) and not value.strip() else value

    def token(self, value: str, field_label: str) -> str:
        """Return a token without blanks around it.

        :raises ConfigurationError: if it can't be one; the value is not told.
        """
        value = value.strip()
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise ConfigurationError(
                f"Connection {self.conn_id!r}: the {field_label} has blanks or characters in it that a token "
                "can't have. Copy it anew and paste the token alone, without 'Bearer' or dots of omission."
            )
        return value

    def number(self, name: str, default: float, *, minimum: float) -> float:
        """Return an extra field as a number.

        :raises ConfigurationError: if it is no number or below ``minimum``.
        """
        value = self._given(name)
        if value is None:
            return default
        try:
            number = float("yes or no" if isinstance(value, bool) else value)
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"Connection {self.conn_id!r}: extra field {name!r} must be a number."
            ) from None
        if not (isfinite(number) and number >= minimum):
            raise ConfigurationError(
                f"Connection {self.conn_id!r}: extra field {name!r} must be at least {minimum:g}."
            )
        return number

    def base_url(self, default: str) -> str:
        """Return the URL of the host field, completed with scheme, port and path where they stand apart.

        Airflow's URI form of a connection puts the port into ``port``, and what follows the host into
        ``schema``: a path, or by an old custom of HTTP connections the scheme.
        """
        host = self.host.strip().rstrip("/")
        if not host:
            return default
        schema = self.schema.strip().strip("/")
        scheme = schema if schema in {"http", "https"} else "https"
        url = host if "://" in host else f"{scheme}://{host}"
        try:
            has_port = urlsplit(url).port is not None
        except ValueError:
            return url  # refused, with its reason, by who opens it
        if self.port and not has_port and not urlsplit(url).path:
            url = f"{url}:{self.port}"
        return url if schema in {"", "http", "https"} else f"{url}/{schema}"


def fingerprint(secret: str) -> str:
    """Return a name for a value that is not to be told: the same each time, and no way back."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def server_scope(url: str) -> str:
    """Return the server of a URL, as what its channels' names are unique within; a long one by its hash."""
    parts = urlsplit(url)
    server = f"{parts.netloc}{parts.path.rstrip('/')}".lower()
    return server if len(server) <= LONGEST_SERVER else fingerprint(server)


def check_gateway(ref: ChannelRef, gateway: str, conn_id: str) -> None:
    """Refuse another gateway's channel.

    :raises ConfigurationError: naming both gateways.
    """
    if ref.gateway != gateway:
        raise ConfigurationError(
            f"Channel {ref.channel_id!r} belongs to gateway {ref.gateway!r}, and connection {conn_id!r} is one of "
            f"{gateway!r}. Use the connection that created it."
        )
