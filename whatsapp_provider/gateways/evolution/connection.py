"""The ``evolution_api`` connection: its form as data, and what the gateway reads from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import PORT_HINT, ConnectionForm, ConnectionValues

INTEGRATIONS = ("WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION")
API_VERSIONS = ("auto", "v1", "v2")

FORM = ConnectionForm(
    connection_type="evolution_api",
    label="WhatsApp: Evolution API",
    hook_class="whatsapp_provider.hooks.evolution.EvolutionHook",
    relabeling={"host": "Server URL", "port": "Port", "password": "Global API key"},
    hidden=("schema", "login", "extra"),
    placeholders={
        "host": "https://evolution.example.com",
        "password": "the server's AUTHENTICATION_API_KEY",
        "port": PORT_HINT,
    },
    fields={
        "api_version": {
            "label": "API version",
            "description": "Of the server: v1 (1.8), v2, or auto to ask the server where they differ (default).",
            "schema": {"type": ["string", "null"], "enum": list(API_VERSIONS), "section": "Server"},
        },
        "integration": {
            "label": "Integration",
            "description": "Of new channels that name none (default WHATSAPP-BAILEYS).",
            "schema": {"type": ["string", "null"], "enum": list(INTEGRATIONS), "section": "Server"},
        },
        "instance": {
            "label": "Instance",
            "description": "Name of the instance that is used where a task names none.",
            "schema": {"type": ["string", "null"], "section": "One channel"},
        },
        "instance_token": {
            "label": "Instance token",
            "description": "Key of that one instance. Enough by itself to use it; leave empty where the global "
            "API key is given.",
            "schema": {"type": ["string", "null"], "format": "password", "section": "One channel"},
        },
        "timeout": {
            "label": "Timeout",
            "description": "Seconds to wait for an answer (default 30).",
            "schema": {"type": ["number", "null"], "minimum": 1, "section": "Limits"},
        },
    },
)

_NOT_NAMES = {"undefined", "null", ".", ".."}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def check_name(name: str, *, what: str = "instance") -> str:
    """Return an instance's name unchanged.

    The server takes nearly anything, an empty name and a missing one included, and can't delete what it made.

    :raises ConfigurationError: for what would make an instance that no route reaches.
    """
    if not name.strip() or name in _NOT_NAMES or _UNPRINTABLE.search(name):
        raise ConfigurationError(f"{name!r} can't be the name of an {what}; give it letters and digits.")
    if name != name.strip():
        raise ConfigurationError(f"The name {name!r} begins or ends with blanks; the server would keep them.")
    return name


@dataclass(frozen=True, slots=True)
class EvolutionConfig:
    """An ``evolution_api`` connection, read and checked.

    :param url: of the server, without a path unless a proxy adds one.
    :param api_version: ``auto``, ``v1`` or ``v2``.
    :param timeout: seconds to wait for an answer.
    """

    conn_id: str
    url: str
    global_key: str = field(repr=False)
    instance: str
    instance_token: str = field(repr=False)
    api_version: str
    integration: str
    timeout: float

    @classmethod
    def read(cls, values: ConnectionValues) -> EvolutionConfig:
        """Read a connection.

        :raises ConfigurationError: if the URL or both keys are missing, or a value can't be used.
        """
        config = cls(
            conn_id=values.conn_id,
            url=_url(values),
            global_key=values.token(values.password, "global API key (Password)"),
            instance=values.text("instance"),
            instance_token=values.token(values.text("instance_token"), "instance token"),
            api_version=_one_of(values, "api_version", API_VERSIONS),
            integration=_one_of(values, "integration", INTEGRATIONS),
            timeout=values.number("timeout", 30.0, minimum=1.0),
        )
        where = f"Connection {values.conn_id!r}"
        if not config.global_key and not config.instance_token:
            raise ConfigurationError(
                f"{where} has no key. Fill in the global API key (to create and manage channels) or the instance "
                "token (to use one channel)."
            )
        if config.instance_token and not config.instance:
            raise ConfigurationError(
                f"{where} has an instance token and not the name of its instance. Fill in the instance too."
            )
        if config.instance:
            check_name(config.instance)
        return config


def _url(values: ConnectionValues) -> str:
    where = f"Connection {values.conn_id!r}"
    host = values.host.strip()
    if not host:
        raise ConfigurationError(
            f"{where} has no server URL. Fill in the Host, e.g. https://evolution.example.com."
        )
    if "://" not in host and values.schema.strip() not in {"http", "https"}:
        raise ConfigurationError(
            f"{where}: the server URL (Host) must begin with http:// or https://; either is common for a server "
            "of one's own, so neither is guessed."
        )
    url = values.base_url("")
    if url.endswith("/manager"):
        raise ConfigurationError(
            f"{where}: the server URL (Host) is that of the server's manager page; leave out '/manager'."
        )
    return url


def _one_of(values: ConnectionValues, name: str, known: tuple[str, ...]) -> str:
    """Return one of the known words, however its letters are written; the first is the default."""
    given = values.text(name, known[0])
    for word in known:
        if word.lower() == given.lower():
            return word
    raise ConfigurationError(
        f"Connection {values.conn_id!r}: extra field {name!r} must be one of {', '.join(known)}; got {given!r}."
    )
