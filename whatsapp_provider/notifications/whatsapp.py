"""Tell people by WhatsApp of a failed task, a missed deadline, a question, or a phone that is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.notifier import BaseNotifier

from whatsapp_provider.errors import ConfigurationError, Disposition, NotificationError, WhatsAppError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.hooks.whatsapp import DEFAULT_CONN_ID, WhatsAppHook
from whatsapp_provider.operators.named_channel import NamedChannel

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.identity import Recipient
    from whatsapp_provider.messages import Message

#: Fits each of the contexts there are: a task's, a DAG's, a missed deadline's, a channel's that waits for its phone.
DEFAULT_TEXT = """\
{% if pairing is defined -%}
WhatsApp channel {{ pairing.channel.name or pairing.channel.channel_id }} waits for its phone.
{{ pairing.page_url }}
{%- elif deadline is defined -%}
Airflow: {{ dag_run.dag_id }} missed its deadline (run {{ dag_run.dag_run_id or dag_run.run_id }}).
{%- elif reason is defined -%}
Airflow: {{ dag.dag_id }}, run {{ run_id | default('unknown') }}: {{ reason }}
{%- elif ti is defined -%}
Airflow: {{ ti.dag_id }}.{{ ti.task_id }} is {{ ti.state | default('running', true) }} (run {{ ti.run_id }}).
{{ ti.log_url | default('') }}
{%- else -%}
Airflow: something asks for your attention.
{%- endif %}"""
_SEPARATORS = str.maketrans(";\n", ",,")
#: The worst of several failures decides: first of all, that a message may have arrived.
_BY_WEIGHT = (Disposition.HOLD, Disposition.HALT, Disposition.RETRY, Disposition.SKIP)


class WhatsAppNotifier(NamedChannel, BaseNotifier):
    """Send a WhatsApp message when Airflow has something to tell.

    For ``on_failure_callback`` and its like, for ``DeadlineAlert`` and a sensor's ``on_pairing`` (wrapped in
    ``AsyncCallback``), and for the ``notifiers`` of operators that ask a person. Each call tries each recipient
    once. The messages count against the channel's pace and wait for nothing. What ``AsyncCallback`` is given,
    Airflow stores and logs in the clear: leave ``to`` out there.

    :param to: a phone number with country code or a WhatsApp id; or several, as a list or with commas between.
        Left out, whom the connection's field ``notify_to`` names.
    :param text: the text. Left out, one that says what happened, where, and where to look.
    :param message: instead of a text, a message of any kind, e.g.
        ``{"kind": "image", "media": {"url": "https://…"}}``.
    :param channel: the channel that sends: what the create-channel task returned, an id or a name; the
        connection's own where it is left out.
    :param whatsapp_conn_id: a connection of one of the WhatsApp types.
    :param fail_silently: log what goes wrong with the sending, and go on.
    :raises ConfigurationError: if both text and message are given.
    """

    template_fields: Sequence[str] = ("to", "text", "message", "channel", "whatsapp_conn_id")

    def __init__(
        self,
        *,
        to: str | Sequence[str] | None = None,
        text: str | None = None,
        message: Mapping[str, Any] | None = None,
        channel: ChannelLike = None,
        whatsapp_conn_id: str = DEFAULT_CONN_ID,
        fail_silently: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if text is not None and message is not None:
            raise ConfigurationError("Give a notification a text or a message, not both.")
        self.to = to
        self.text = DEFAULT_TEXT if text is None and message is None else text
        self.message = message
        self.channel = channel
        self.whatsapp_conn_id = whatsapp_conn_id
        self.fail_silently = fail_silently

    # Rendering replaces the templates: a second call on the same object would repeat the first one's text.
    def __call__(self, *args: Any) -> None:
        """Render and send; Airflow calls it with the context."""
        super(WhatsAppNotifier, copy(self)).__call__(*args)

    def __await__(self) -> Generator[Any, Any, None]:
        """Render and send, in async code."""
        return super(WhatsAppNotifier, copy(self)).__await__()

    def notify(self, context: Context) -> None:
        """Send what is rendered.

        :raises InputError: if a recipient or the message is wrong; nothing was sent.
        :raises NotificationError: if it was not accepted for everybody.
        """
        try:
            self._notify()
        except Exception as error:
            self._swallow(error)

    async def async_notify(self, context: Context) -> None:
        """Send what is rendered, from async code; see :meth:`notify`."""
        try:
            await self._notify_async()
        except Exception as error:
            self._swallow(error)

    def _notify(self) -> None:
        hook = WhatsAppHook(self.whatsapp_conn_id)
        message = self._checked()
        _ = hook.gateway
        recipients = self._recipients(hook)
        ref = hook.channel_ref(self.channel)
        failures = []
        for recipient in recipients:
            try:
                hook.send(recipient.address, message, channel=ref)
            except WhatsAppError as error:
                failures.append((recipient, error))
        _raise_for(failures, len(recipients))

    async def _notify_async(self) -> None:
        from whatsapp_provider.hooks.channels import resolve

        hook = WhatsAppHook(self.whatsapp_conn_id)
        message = self._checked()
        gateway = await hook.open()
        # Its first use in a process imports the tables of numbers, which no trigger should wait for.
        recipients = await asyncio.to_thread(self._recipients, hook)
        ref = await resolve(gateway, self.channel)
        failures = []
        for recipient in recipients:
            try:
                await hook.send_async(recipient.address, message, channel=ref)
            except WhatsAppError as error:
                failures.append((recipient, error))
        _raise_for(failures, len(recipients))

    def _checked(self) -> Message:
        from whatsapp_provider.messages import parse_message

        self.check_channel()
        return parse_message(self.text if self.message is None else self.message)  # type: ignore[arg-type]  # one is there

    def _recipients(self, hook: WhatsAppHook) -> list[Recipient]:
        """Return whom to tell, each once, or refuse them all."""
        from whatsapp_provider.campaigns.identity import parse_recipient

        if self.to is None:
            named = _several(hook.notify_to)
            if not named:
                raise ConfigurationError(
                    f"Nobody is named to notify: pass to=, or fill in the field Notify (notify_to) of connection "
                    f"{self.whatsapp_conn_id!r}."
                )
        else:
            named = _several(self.to)
            if not named:
                raise ConfigurationError("to= came out empty; nobody was notified.")
        found = {recipient.key: recipient for recipient in map(parse_recipient, named)}
        return list(found.values())

    def _swallow(self, error: Exception) -> None:
        if not self.fail_silently:
            raise error
        # A text that isn't ours may tell a number.
        reason = str(error) if isinstance(error, WhatsAppError) else type(error).__name__
        self.log.warning("A notification failed, and fail_silently is set: %s", reason)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Any, context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        before = {name: getattr(parent, name) for name in template_fields}
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
        # Airflow 3.1 leaves a notifier's template as it is where it comes out empty, and would send it so.
        for name, value in before.items():
            if isinstance(value, str) and getattr(parent, name) is value:
                setattr(parent, name, self.render_template(value, context, jinja_env, set()))

    def _update_context(self, context: Context) -> Context:
        # Airflow's puts the fields, numbers among them, into the task's own context; no template needs them.
        return context


def _several(value: Any) -> list[Any]:
    """Return recipients one by one; a template gives several as one text."""
    if isinstance(value, str):
        return [part.strip() for part in value.translate(_SEPARATORS).split(",") if part.strip()]
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _raise_for(failures: list[tuple[Recipient, WhatsAppError]], tried: int) -> None:
    if not failures:
        return
    first, cause = failures[0]
    found = {error.disposition for _, error in failures}
    disposition = next(weight for weight in _BY_WEIGHT if weight in found)
    doubt = " Some may have arrived all the same." if disposition is Disposition.HOLD else ""
    raise NotificationError(
        f"{len(failures)} of {tried} messages of a notification were not accepted; {first.masked}: {cause}{doubt}",
        disposition=disposition,
        retry_after=cause.retry_after,
        code=cause.code,
    ) from cause


send_whatsapp_notification = WhatsAppNotifier
