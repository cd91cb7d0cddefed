"""Configure where a gateway reports a channel's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.model import Webhook
from whatsapp_provider.operators.base import Private, WhatsAppOperator, reveal

if TYPE_CHECKING:
    from airflow.sdk import Context


class WhatsAppConfigureWebhookOperator(WhatsAppOperator):
    """Add a webhook to a channel, or change the one of the same URL; other people's stay.

    Returns whether anything had to be changed.

    :param url: an http(s) address that the gateway can reach.
    :param events: the gateway's event names, e.g. ``messages.post``; its useful default where left out.
    :param headers: sent with each delivery, e.g. a secret of your own; not shown in Airflow.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param remove: take the webhook of that URL away instead.
    """

    template_fields: Sequence[str] = ("url", "events", "headers", "channel", "whatsapp_conn_id")
    private_fields: Sequence[str] = ("headers",)

    def __init__(
        self,
        *,
        url: str,
        events: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        channel: ChannelLike = None,
        remove: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.url = url
        self.events = events
        self.headers = headers
        self.channel = channel
        self.remove = remove

    def work(self, context: Context) -> bool:
        """Merge the webhook into the channel's."""
        url = _checked(self.url)
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "webhooks")
        channel = gateway.channel(self.channel_ref(self.channel))
        if self.remove:
            changed = self.hook.run(channel.remove_webhook(url))
            self.log.info("The webhook was removed." if changed else "There was no such webhook.")
            return changed
        webhook = Webhook(url, _events(self.events), _headers(reveal(self.headers)))
        changed = self.hook.run(channel.set_webhook(webhook))
        self.log.info("The webhook was set." if changed else "The webhook was there already.")
        return changed

    def private(self, field: str, value: Any) -> Private:
        """Show the headers' names only."""
        names = ", ".join(sorted(value)) if isinstance(value, Mapping) else "…"
        return Private(value, f"<headers {names}>")


def _events(events: Any) -> tuple[str, ...]:
    # A template gives text: "messages.post, statuses.post".
    parts = events.split(",") if isinstance(events, str) else events or ()
    return tuple(name for part in parts if (name := str(part).strip()))


def _headers(headers: Any) -> dict[str, str]:
    if not isinstance(headers, Mapping | None):
        raise ConfigurationError(
            f"The webhook's headers are a {type(headers).__name__}; give a mapping of names to values."
        )
    return dict(headers or {})


def _checked(url: str) -> str:
    parts = urlsplit(url.strip() if isinstance(url, str) else "")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(
            "The webhook's url must begin with http:// or https:// and name a host that the gateway can reach."
        )
    return parts.geturl()
