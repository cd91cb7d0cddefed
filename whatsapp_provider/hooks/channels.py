"""Find the channel that a task means."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from whatsapp_provider.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import Gateway
    from whatsapp_provider.model import ChannelRef

#: What a task may name a channel by: what a create task returned, an id, a name, or nothing.
ChannelLike: TypeAlias = "ChannelRef | Mapping[str, Any] | str | None"


def as_ref(value: ChannelLike) -> ChannelRef | None:
    """Return the reference that ``value`` already is, ``None`` if it is a name, an id or nothing.

    A reference may also come as text: XCom of a task that ended in its trigger is JSON, and a template
    around ``xcom_pull`` gives the form that Python prints.

    :raises ConfigurationError: if it looks like a reference and can't be read.
    """
    # Loaded here: making its classes takes a fifth of what an operator's import may.
    from whatsapp_provider.model import ChannelRef

    if isinstance(value, ChannelRef):
        return value
    if isinstance(value, Mapping):
        return ChannelRef.from_dict(value)
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(
            f"channel is a {type(value).__name__}; pass what the create-channel task returned, an id or a name."
        )
    text = (value or "").strip()
    if not text.startswith("{"):
        return None
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = _python_literal(text)
    if not isinstance(parsed, Mapping):
        raise ConfigurationError(
            "channel looks like a reference and can't be read; pass what the create-channel task returned."
        )
    return ChannelRef.from_dict(parsed)


def _python_literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def names_nothing(value: ChannelLike) -> bool:
    """Tell whether a rendered value names no channel; a template around an absent XCom gives ``None`` as text."""
    return not value or (isinstance(value, str) and value.strip() in {"", "None"})


async def resolve(gateway: Gateway, value: ChannelLike) -> ChannelRef:
    """Return the channel that is meant.

    :raises ConfigurationError: if none is named and the connection has none.
    :raises NotFoundError: if the account has no channel of that id or name.
    """
    ref = as_ref(value)
    if ref is not None:
        return ref
    name = value.strip() if isinstance(value, str) else ""
    default = gateway.default_channel
    if not name:
        if default is None:
            raise ConfigurationError(
                "No channel is named. Pass channel= (what the create-channel task returned, an id or a name), or "
                "fill in the channel of the connection."
            )
        return default
    if default is not None and default.channel_id == name:
        return default
    account = gateway.account()
    channel = await account.get_channel(name) if _may_be_id(name) else None
    channel = channel or await account.find_channel(name)
    if channel is None:
        raise NotFoundError(f"The account has no channel with the id or name {name!r}.")
    return channel.ref


def _may_be_id(name: str) -> bool:
    # An id becomes part of a path.
    return all(character.isalnum() or character in "-_" for character in name)


def check_channel_name(name: Any) -> str:
    """Return a name fit for a new channel.

    :raises ConfigurationError: if it is empty, padded, or has characters that break URLs.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError("channel_name is empty; give the channel a name of its own.")
    if name != name.strip():
        raise ConfigurationError(f"channel_name {name!r} has blanks around it; leave them out.")
    if "/" in name or "\\" in name or not name.isprintable():
        raise ConfigurationError(f"channel_name {name!r} must not contain slashes or control characters.")
    if name.startswith("{") or name == "None":
        raise ConfigurationError(f"channel_name {name!r} looks like a value gone wrong; give a plain name.")
    if len(name) > 100:
        raise ConfigurationError("channel_name is longer than 100 characters.")
    return name
