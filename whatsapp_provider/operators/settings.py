"""Change a channel's settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import ConfigurationError, UnsupportedError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.operators.base import Private, WhatsAppOperator, reveal

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.model import ChannelRef

#: What has an operator of its own, which leaves other people's alone.
_WEBHOOKS = {"webhook", "webhooks"}
#: Settings that gateways take and do not tell again.
_SECRET = re.compile(r"token|secret|password|key", re.IGNORECASE)
_ABSENT = object()


class WhatsAppUpdateSettingsOperator(WhatsAppOperator):
    """Change some settings of a channel and leave the others; what is so already is not written.

    Returns the names of what was changed, e.g. ``["media.auto_download", "offline_mode"]``; none where nothing had to
    be. Values are neither logged nor returned.

    :param settings: the gateway's names with the values that they shall have, e.g.
        ``{"reject_call": True}``; a group of settings may be given in part. Airflow stores the names only; take
        secrets from a template such as ``{{ conn.proxy.password }}``. Webhooks have an operator of their own.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    """

    template_fields: Sequence[str] = ("settings", "channel", "whatsapp_conn_id")
    private_fields: Sequence[str] = ("settings",)

    def __init__(self, *, settings: Mapping[str, Any], channel: ChannelLike = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings = settings
        self.channel = channel

    def work(self, context: Context) -> list[str]:
        """Compare, write what differs, and look whether it was taken."""
        wanted = _checked(reveal(self.settings))
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "settings")
        ref = self.channel_ref(self.channel)
        current = self._current(ref)
        names = list(wanted) if current is None else list(differing(wanted, current))
        if not names:
            self.log.info("Nothing to change: all %d settings are so already.", len(wanted))
            return []
        self.hook.update_settings(changes(wanted, current or {}, names), channel=ref)
        left = set() if current is None else self._look_again(wanted, ref)
        changed = [name for name in names if name not in left]
        self.log.info("Changed: %s.", ", ".join(changed) or "nothing")
        return changed

    def private(self, field: str, value: Any) -> Private:
        """Show the settings' names only."""
        names = ", ".join(sorted(map(str, value))) if isinstance(value, Mapping) else "…"
        return Private(value, f"<settings {names}>")

    def _current(self, ref: ChannelRef) -> Mapping[str, Any] | None:
        """Return the settings as they are, ``None`` where the gateway can only change them."""
        try:
            return self.hook.settings(channel=ref)
        except UnsupportedError:
            return None

    def _look_again(self, wanted: Mapping[str, Any], ref: ChannelRef) -> set[str]:
        """Return what the gateway left as it was without saying so."""
        now = self.hook.settings(channel=ref)
        left = [name for name in differing(wanted, now) if not _SECRET.search(name)]
        unknown = [name for name in left if _at(now, name) is _ABSENT]
        if unknown:
            raise ConfigurationError(
                f"The gateway took the settings and has none of the name {', '.join(map(repr, unknown))}; at the top "
                f"it has {', '.join(sorted(map(str, now)))}. Mend the names; the others were changed."
            )
        if left:
            self.log.warning(
                "The gateway took the settings and shows other values of %s: it may have put them into another form.",
                ", ".join(left),
            )
        return set(left)


def _checked(settings: Any) -> dict[str, Any]:
    if not isinstance(settings, Mapping) or not settings:
        what = "empty" if isinstance(settings, Mapping) else f"a {type(settings).__name__}"
        raise ConfigurationError(
            f"settings is {what}; give a mapping of the gateway's names to values. A template around a mapping gives "
            "text: pass the output of a task as it is."
        )
    if taken := _WEBHOOKS & {str(name).lower() for name in settings}:
        raise ConfigurationError(
            f"Setting {taken.pop()!r} would replace everybody's webhooks; WhatsAppConfigureWebhookOperator changes "
            "one of them and leaves the others."
        )
    return {str(name): value for name, value in settings.items()}


def differing(wanted: Mapping[str, Any], current: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the dotted names of what is not as wanted; names are compared in either spelling."""
    for name, value in wanted.items():
        there = _get(current, name)
        if isinstance(value, Mapping) and isinstance(there, Mapping):
            yield from differing(value, there, f"{above}{name}.")
        elif not (there is _ABSENT and value in (None, "")) and not _same(value, there):
            yield f"{above}{name}"


def _same(value: Any, there: Any) -> bool:
    # True is 1 in Python, and not for a gateway.
    return (
        type(value) is type(there) and value == there
        if bool in {type(value), type(there)}
        else value == there
    )


def changes(wanted: Mapping[str, Any], current: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the settings of which something differs; a group that is given in part is made whole.

    What else is in a group is sent as it is, because some gateways merge a group and others replace it.
    """
    tops = {name.partition(".")[0] for name in names} | {name for name in names if name in wanted}
    return {name: _whole(value, _get(current, name)) for name, value in wanted.items() if name in tops}


def _whole(value: Any, there: Any) -> Any:
    if not (isinstance(value, Mapping) and isinstance(there, Mapping)):
        return value
    # The given spelling in the place of the gateway's.
    given = {_key(name) for name in value}
    others = {name: each for name, each in there.items() if _key(name) not in given}
    return {**others, **{name: _whole(each, _get(there, name)) for name, each in value.items()}}


def _get(current: Mapping[str, Any], name: str) -> Any:
    """Return a value by its name in either spelling: ``rejectCall`` is ``reject_call``."""
    if name in current:
        return current[name]
    return next((value for known, value in current.items() if _key(known) == _key(name)), _ABSENT)


def _at(current: Any, path: str) -> Any:
    if isinstance(current, Mapping) and _get(current, path) is not _ABSENT:
        return _get(current, path)
    first, dot, rest = path.partition(".")
    inner = _get(current, first) if isinstance(current, Mapping) else _ABSENT
    return _at(inner, rest) if dot else inner


def _key(name: Any) -> str:
    return str(name).replace("_", "").lower()
