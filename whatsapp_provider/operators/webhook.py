"""Configure where a gateway reports a channel's events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from whatsapp_provider.errors import ConfigurationError, TemporarilyUnavailableError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.hooks.claims import wait_for_claim
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.model import Webhook
from whatsapp_provider.operators.base import Private, WhatsAppOperator, reveal, run_key

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.gateways.base import ChannelGateway

CLAIM_SECONDS = 120.0  #: after which another task may go on, should this one die
MOST_WRITES = 3


class WhatsAppConfigureWebhookOperator(WhatsAppOperator):
    """Add a webhook to a channel, or change the one of the same URL; other people's stay.

    Returns whether anything had to be changed. Gateways keep one list for all webhooks of a channel, or have
    room for one, so tasks that change it wait for each other, by the ledger.

    :param url: an http(s) address that the gateway can reach; of it, Airflow shows the host only.
    :param events: the gateway's event names, e.g. ``messages.post``; its useful default where left out.
    :param headers: sent with each delivery, e.g. a secret of your own; not shown in Airflow. Those that the
        webhook has stay where none are given; ``{}`` takes them away.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param remove: take the webhook of that URL away instead.
    :param replace: where the gateway keeps one webhook for a channel, take the place of another URL's; without
        it the task fails and leaves the other one there.
    """

    template_fields: Sequence[str] = ("url", "events", "headers", "channel", "whatsapp_conn_id")
    private_fields: Sequence[str] = ("url", "headers")

    def __init__(
        self,
        *,
        url: str,
        events: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        channel: ChannelLike = None,
        remove: bool = False,
        replace: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.url = url
        self.events = events
        self.headers = headers
        self.channel = channel
        self.remove = remove
        self.replace = replace

    def work(self, context: Context) -> bool:
        """Merge the webhook into the channel's."""
        url = _checked(reveal(self.url))
        webhook = None
        if not self.remove:
            webhook = Webhook(url, _events(self.events), _headers(reveal(self.headers)))
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "webhooks")
        ref = self.channel_ref(self.channel)
        channel = gateway.channel(ref)
        # No channel is named so: a slash is refused in names.
        key, name, owner = (
            gateway.account_key,
            f"webhooks/{ref.channel_id}",
            run_key(context, with_map_index=True),
        )
        ledger = open_ledger()
        try:
            wait_for_claim(ledger, key, name, owner=owner, seconds=CLAIM_SECONDS)
            try:
                changed = self._write(channel, url, webhook)
            finally:
                ledger.release_channel_name(key, name, owner=owner)
        finally:
            ledger.dispose()
        if webhook is None:
            self.log.info("The webhook was removed." if changed else "There was no such webhook.")
        else:
            self.log.info("The webhook was set." if changed else "The webhook was there already.")
        return changed

    def _write(self, channel: ChannelGateway, url: str, webhook: Webhook | None) -> bool:
        """Change the list until a look at it shows the change: others may write over it without asking."""
        for count in range(MOST_WRITES):
            work = (
                channel.remove_webhook(url)
                if webhook is None
                else channel.set_webhook(webhook, replace=self.replace)
            )
            if not self.hook.run(work):
                return count > 0
        there = any(other.url == url for other in self.hook.run(channel.webhooks()))
        if there is (webhook is None):
            raise TemporarilyUnavailableError(
                f"The webhook was written {MOST_WRITES} times and undone each time; something else changes the "
                "channel's webhooks."
            )
        return True

    def private(self, field: str, value: Any) -> Private:
        """Show the host of the URL and the headers' names only."""
        if field == "url":
            return Private(value, _shown(value))
        names = ", ".join(sorted(value)) if isinstance(value, Mapping) else "…"
        return Private(value, f"<headers {names}>")


def _shown(url: Any) -> str:
    """Return what may be stored of a URL: path, query and user may be secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, TypeError, AttributeError):
        return "<url>"
    return f"{parts.scheme}://{parts.hostname}{port}/…" if parts.scheme and parts.hostname else "<url>"


def _events(events: Any) -> tuple[str, ...]:
    # A template gives text: "messages.post, statuses.post".
    parts = events.split(",") if isinstance(events, str) else events or ()
    return tuple(name for part in parts if (name := str(part).strip()))


def _headers(headers: Any) -> dict[str, str] | None:
    if not isinstance(headers, Mapping | None):
        raise ConfigurationError(
            f"The webhook's headers are a {type(headers).__name__}; give a mapping of names to values."
        )
    return None if headers is None else dict(headers)


def _checked(url: Any) -> str:
    try:
        parts = urlsplit(url.strip() if isinstance(url, str) else "")
    except ValueError:  # half an IPv6 address
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(
            "The webhook's url must begin with http:// or https:// and name a host that the gateway can reach."
        )
    return parts.geturl()
