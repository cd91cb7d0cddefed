"""Send one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.operators.base import Private, no_vain_retries, read_text_file, reveal, run_key
from whatsapp_provider.operators.choices import ON_IN_DOUBT, check_choice, is_true
from whatsapp_provider.operators.mapping import warn_of_a_task_each
from whatsapp_provider.operators.running import WhatsAppSendingOperator, superseded_attempts_refused
from whatsapp_provider.operators.singles import send_single
from whatsapp_provider.redaction import mask_number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.campaign import Campaign


class WhatsAppSendMessageOperator(WhatsAppSendingOperator):
    """Send one message, once: a retried or cleared task finds in the ledger what was sent before.

    Returns ``message_id`` (empty where the gateway tells none), ``message_key`` and ``status``: ``accepted`` or
    ``already_sent``.

    :param to: a phone number with country code, or a WhatsApp id.
    :param text: the text; or give ``message``. One that ends in ``.txt`` or ``.md`` names a file in the DAG's
        template search path.
    :param message: a message of any kind, e.g. ``{"kind": "image", "media": {"url": "https://…"}}``.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param message_key: names the message in the ledger; the same key is sent once. By default one for each
        DAG run and mapped index; to send again on purpose, give another.
    :param on_in_doubt: when an attempt may have been delivered: ``reconcile`` looks it up in the gateway's
        history, where there is one, which takes minutes, and else holds; ``hold`` fails and says so; ``resend``
        sends again (at least once): after ``[whatsapp] settle_seconds`` in doubt, at most 9 times, also over
        retries of the task; after 5 sends in a row without an answer the task fails, and may be retried.
    :param region: ISO country code for a number written without country code.
    :param ignore_suppression: send to somebody on the list ``opt_out``, too: for what they must be told, such as a
        code that they asked for. Other lists are for campaigns.
    :raises RecipientSuppressedError: if the recipient is on that list; nothing was sent.
    """

    template_fields: Sequence[str] = ("to", "text", "message", "channel", "message_key", "whatsapp_conn_id")
    private_fields: Sequence[str] = ("to", "text", "message")

    def __init__(
        self,
        *,
        to: str,
        text: str | None = None,
        message: Mapping[str, Any] | None = None,
        channel: ChannelLike = None,
        message_key: str | None = None,
        on_in_doubt: Literal["reconcile", "hold", "resend"] = "reconcile",
        region: str | None = None,
        ignore_suppression: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.text = text
        self.message = message
        self.channel = channel
        self.message_key = message_key
        check_choice("on_in_doubt", on_in_doubt, *ON_IN_DOUBT)
        self.on_in_doubt = on_in_doubt
        self.region = region
        self.ignore_suppression = ignore_suppression

    def work(self, context: Context) -> dict[str, Any]:
        """Write the intent, send, write the result."""
        from whatsapp_provider.campaigns.identity import parse_recipient
        from whatsapp_provider.campaigns.render import FixedMessage

        recipient = parse_recipient(reveal(self.to), region=self.region)
        message = FixedMessage(self._content())
        key = self.message_key or run_key(context, with_map_index=True)
        campaign = self._campaign(key)
        superseded_attempts_refused(context)
        warn_of_a_task_each(context, 1, self.log)
        label = run_key(context, with_map_index=True)
        result = send_single(self.hook, campaign, message, recipient, self.follow, label=label)
        self.log.info(
            "%s %s: message %s.",
            "Sent before to" if result.already_sent else "Sent to",
            recipient.masked,
            result.message_id or "of which the gateway tells no id",
        )
        return {
            "message_id": result.message_id,
            "status": "already_sent" if result.already_sent else "accepted",
            "message_key": key,
        }

    def private(self, field: str, value: Any) -> Private:
        """Show the end of the number, and of a message its size or kind only."""
        if field == "to" and isinstance(value, str):
            return Private(value, mask_number(value.strip()))
        if isinstance(value, Mapping):
            return Private(value, f"<{value.get('kind', 'message')}>")
        return super().private(field, value)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        # Airflow's own template_ext would take any text inside of a message for a file: a document's name too.
        if parent is self and isinstance(self.text, str):
            with no_vain_retries():
                self.text = read_text_file(jinja_env, self.text)
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)

    def _content(self) -> str | Mapping[str, Any]:
        text, message = reveal(self.text), reveal(self.message)
        if (text is None) == (message is None):
            raise ConfigurationError("Give exactly one of text and message.")
        if message is not None and not isinstance(message, Mapping):
            raise ConfigurationError(
                f"message is a {type(message).__name__} where a mapping with a kind is needed. A template gives "
                "text: pass the output of a task as it is, or use text=."
            )
        content: str | Mapping[str, Any] = text if message is None else message
        return content

    def _campaign(self, key: str) -> Campaign:
        from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
        from whatsapp_provider.campaigns.pacing import Pace
        from whatsapp_provider.campaigns.rules import Rules
        from whatsapp_provider.campaigns.single import PREFIX

        return Campaign(
            campaign_id=f"{PREFIX}{key}",
            channel=self.channel_ref(self.channel),
            pace=Pace.unlimited(),
            concurrency=1,
            on_in_doubt=OnInDoubt(self.on_in_doubt),
            channel_scope=self.hook.gateway.channel_scope,
            # Of all lists the one that its recipient asked for.
            rules=Rules(lists=(), ignore_lists=is_true("ignore_suppression", self.ignore_suppression)),
        )
