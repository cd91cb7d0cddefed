"""Look at the files that a campaign's messages name by URL: once it is planned, and before any of it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whatsapp_provider.media.findings import MediaReport
    from whatsapp_provider.messages import Message


class Files:
    """The files of a campaign, noted message by message while it is planned.

    :param media: what becomes of those that can't be had: ``refuse``, ``warn`` or ``ignore``.
    """

    def __init__(self, media: str) -> None:
        # Loaded here: a DAG file that plans or sends imports this module, and has no message yet.
        from whatsapp_provider.hooks.media import media_policy
        from whatsapp_provider.media.urls import MediaSample, media_urls

        self._policy = media_policy() if media == "refuse" else media_policy(refuse=())
        self._sample = None if media == "ignore" else MediaSample(self._policy.most)
        self._urls = media_urls

    def note(self, message: Message) -> None:
        """Take notice of a message's files."""
        # Most campaigns are text, and large ones are in a hurry.
        if self._sample is not None and message.kind != "text":
            for url in self._urls(message):
                self._sample.add(url)

    def look(self) -> MediaReport | None:
        """Look at them, and return what was found; ``None`` if there is nothing to be looked at."""
        from whatsapp_provider.hooks.media import check_media_urls

        if self._sample is None or not self._sample.chosen():
            return None
        return check_media_urls(self._sample, self._policy)
