"""Notice when a task names a channel and nothing came of it."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.channels import ChannelLike, names_nothing


class NamedChannel:
    """Mixin of operators and sensors with a templated field ``channel``.

    Left out, it means the connection's own channel. Given, and rendered to nothing because the task that it
    comes from returned nothing, it must not mean that.
    """

    channel: ChannelLike
    _channel_lost = False

    def check_channel(self) -> None:
        """Refuse to go on without the channel that the DAG names.

        :raises ConfigurationError: if it came out as nothing.
        """
        if self._channel_lost:
            raise ConfigurationError(
                "channel= came out as None: the task that it comes from returned nothing. Pass what the "
                "create-channel task returned, an id or a name."
            )

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        # Airflow calls it for plain and mapped tasks alike, and for objects inside of fields.
        named = getattr(self, "channel", None) is not None
        super()._do_render_template_fields(parent, *args, **kwargs)  # type: ignore[misc]  # Airflow's, beside us
        if parent is self:
            channel = getattr(self, "channel", None)
            self._channel_lost = named and channel != "" and names_nothing(channel)
