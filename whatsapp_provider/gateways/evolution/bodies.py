"""The bodies of creations and settings, in the form that each version wants (captured from 2.3.6; documented v1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.evolution.dialects import Dialect, check_events
from whatsapp_provider.gateways.evolution.options import Options, snake

SETTINGS = (
    "reject_call",
    "groups_ignore",
    "always_online",
    "read_messages",
    "read_status",
    "sync_full_history",
)
_TEXTS = ("msg_call", "wavoip_token")
_SCALARS = ("qrcode", "token", "business_id", *SETTINGS, *_TEXTS)
_BUSES = ("websocket", "rabbitmq", "sqs", "nats", "kafka", "pusher")
#: What a version does not take at a creation; a server drops most of it without a word.
_LACKS = {
    Dialect.V1: ("business_id", "nats", "kafka", "pusher", "webhook.headers", "chatwoot.auto_create"),
    Dialect.V2: ("typebot",),
}


def create_body(name: str, options: Options, dialect: Dialect) -> dict[str, Any]:
    """Return what ``POST /instance/create`` takes.

    :raises ConfigurationError: naming what this version does not know, or what the integration needs.
    """
    given = options.model_dump(exclude_none=True)
    _check_known(given, dialect)
    _check_integration(options, dialect)
    for group in ("webhook", *_BUSES):
        if group in given and (group == "webhook" or given[group]["events"]):
            given[group]["events"] = check_events(given[group]["events"], dialect)
    body = {"instanceName": name, "integration": options.integration}
    if options.number is not None:
        body["number"] = options.number.removeprefix("+")
    return body | (_flat(given) if dialect is Dialect.V1 else _nested(given))


def _check_known(given: Mapping[str, Any], dialect: Dialect) -> None:
    for path in _LACKS[dialect]:
        group, _, field = path.partition(".")
        if group in given and (not field or field in given[group]):
            raise ConfigurationError(
                f"Evolution API {dialect} knows no option {path!r} at a creation; nothing was created. Leave it out, "
                "or set it on the server."
            )


def _check_integration(options: Options, dialect: Dialect) -> None:
    if options.integration != "WHATSAPP-BUSINESS":
        return
    needed = ("token", "number") if dialect is Dialect.V1 else ("token", "number", "business_id")
    missing = [name for name in needed if not getattr(options, name)]
    if missing:
        raise ConfigurationError(
            f"A channel of WHATSAPP-BUSINESS needs the options {', '.join(missing)}: token is Meta's access token, "
            "number the phone number id, business_id the WhatsApp business account's."
        )


def _nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """Version 2: camel case; webhook and buses nested, proxy and Chatwoot flat."""
    body = {_camel(name): given[name] for name in _SCALARS if name in given}
    # It needs a list of events, and without it undoes the creation.
    body |= {
        group: {_camel(field): value for field, value in given[group].items()}
        for group in ("webhook", *_BUSES)
        if group in given
    }
    for group in ("proxy", "chatwoot"):
        body |= {_camel(f"{group}_{field}"): value for field, value in given.get(group, {}).items()}
    return body


def _flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1: snake case; all flat but the proxy."""
    body = {name: given[name] for name in _SCALARS if name in given}
    if "wavoip_token" in body:
        body["wavoipToken"] = body.pop("wavoip_token")
    webhook = given.get("webhook", {})
    for field, called in {
        "url": "webhook",
        "events": "events",  # without them it stores no webhook, and does not say so
        "by_events": "webhook_by_events",
        "base64": "webhook_base64",
    }.items():
        if field in webhook:
            body[called] = webhook[field]
    for group in ("websocket", "rabbitmq", "sqs", "chatwoot"):
        body |= {f"{group}_{field}": value for field, value in given.get(group, {}).items()}
    for field, value in given.get("typebot", {}).items():
        body["typebot" if field == "typebot" else f"typebot_{field}"] = value
    return body | ({"proxy": given["proxy"]} if "proxy" in given else {})


def changed_settings(
    current: Mapping[str, Any], changes: Mapping[str, Any], dialect: Dialect
) -> dict[str, Any]:
    """Return all settings with the changes in them, as ``POST /settings/set`` takes them.

    :param current: what the server told, in its spelling.
    :param changes: in either spelling.
    :raises ConfigurationError: for a setting that there is not, or a value of a wrong type.
    """
    wanted = {snake(name): value for name, value in changes.items()}
    for name, value in wanted.items():
        if name not in (*SETTINGS, *_TEXTS):
            raise ConfigurationError(
                f"An Evolution instance has no setting {name!r}; it has {', '.join((*SETTINGS, *_TEXTS))}."
            )
        kind = bool if name in SETTINGS else str
        if not isinstance(value, kind):
            raise ConfigurationError(
                f"Setting {name!r} must be {'true or false' if kind is bool else 'text'}, not {type(value).__name__}."
            )
    now = {snake(name): value for name, value in current.items()}
    # Version 2 refuses a change that leaves one of these out; its own groups_ignore is false by default.
    known = {name: bool(now.get(name)) for name in SETTINGS}
    known |= {name: now[name] for name in _TEXTS if isinstance(now.get(name), str)}
    merged = known | wanted
    if dialect is Dialect.V1:
        return {"wavoipToken" if name == "wavoip_token" else name: value for name, value in merged.items()}
    return {_camel(name): value for name, value in merged.items()}


def _camel(name: str) -> str:
    """Return a name in version 2's spelling."""
    if name == "use_tls":
        return "useTLS"
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
