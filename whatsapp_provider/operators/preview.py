"""Show what a campaign would send, and send nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from whatsapp_provider.campaigns.audience import AudienceOptions
    from whatsapp_provider.campaigns.readers import Row
    from whatsapp_provider.campaigns.render import Renderer
    from whatsapp_provider.gateways.base import MessageCheck
    from whatsapp_provider.messages import Message

#: Files are shown by their place alone.
_BYTES: dict[str, Any] = {"media": {"data"}, "header": {"media": {"data"}}}


def show_preview(
    log: Any, template: Renderer, rows: Iterable[Row], options: AudienceOptions, check: MessageCheck
) -> dict[str, Any]:
    """Check everything as a plan would, and log the first messages with their recipients masked."""
    from whatsapp_provider.campaigns.plan import preview

    found = preview(template, rows, options, check=check)
    log.info("Preview: %d messages would be sent; nothing is.", found.count)
    show_samples(log, found.samples)
    return {"preview": True, "total": found.count, "left_out": found.left_out}


def show_samples(log: Any, samples: Iterable[tuple[str, Message]]) -> None:
    """Log messages whole, on purpose, with their recipients masked."""
    for recipient, message in samples:
        log.info(
            "To %s:\n%s", recipient, message.model_dump_json(indent=2, exclude_none=True, exclude=_BYTES)
        )
