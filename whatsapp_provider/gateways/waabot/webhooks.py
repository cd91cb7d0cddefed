"""The one webhook of a bot: its events, and the body that sets it.

The names are those of open-wa, which the two on the API's page are of; what is delivered was never recorded.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import Webhook

#: What came in, and how far what was sent has come.
DEFAULT_EVENTS = ("onMessage", "onAck")
EVENTS = frozenset(
    {
        "all",
        "onAck",
        "onAddedToGroup",
        "onAnyMessage",
        "onBattery",
        "onButton",
        "onChatDeleted",
        "onChatOpened",
        "onChatState",
        "onContactAdded",
        "onGlobalParticipantsChanged",
        "onIncomingCall",
        "onLogout",
        "onMessage",
        "onMessageDeleted",
        "onNewProduct",
        "onOrder",
        "onPlugged",
        "onRemovedFromGroup",
        "onStateChanged",
        "onStory",
    }
)


def body(webhook: Webhook) -> dict[str, Any]:
    """Return what ``PUT /whatsapp/setWebhook`` takes beside the pair.

    Headers that are left out are left as they are, if the API does so.

    :raises ConfigurationError: for an event that there is not.
    """
    unknown = sorted(set(webhook.events) - EVENTS)
    if unknown:
        raise ConfigurationError(
            f"Waabot knows no event {', '.join(map(repr, unknown))}; it has {', '.join(sorted(EVENTS))}."
        )
    told = {"webhook_url": webhook.url, "events": list(webhook.events or DEFAULT_EVENTS)}
    if webhook.headers is None:
        return told
    headers = dict(webhook.headers)
    # Merged into the delivery's own request.
    return {**told, "requestConfig": {"headers": headers} if headers else {}}


def nothing() -> dict[str, Any]:
    """Return the body after which nobody is called."""
    return {"webhook_url": "", "events": [], "requestConfig": {}}


def taken(url: str) -> ConfigurationError:
    """Return the refusal where another URL's webhook is in its place."""
    host = urlsplit(url).hostname or "an unnamed host"
    return ConfigurationError(
        f"The bot has a webhook at {host} already, and the API keeps one for each bot. Remove it, or say replace=True "
        "to put this one in its place."
    )
