"""What the operators share: the connection, the channel, privacy of what Airflow stores, no vain retries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from whatsapp_provider.errors import (
    CampaignCancelledError,
    CampaignMismatchError,
    ConfigurationError,
    CredentialRejectedError,
    InDoubtError,
    InputError,
    PlanRefusedError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.hooks.whatsapp import DEFAULT_CONN_ID, WhatsAppHook
from whatsapp_provider.operators.named_channel import NamedChannel

if TYPE_CHECKING:
    from airflow.sdk import Context
    from jinja2 import Environment

    from whatsapp_provider.model import ChannelRef

#: A retry would meet the same error, until a person changes something.
_FINAL = (
    ConfigurationError,
    InputError,
    UnsupportedError,
    CredentialRejectedError,
    CampaignCancelledError,
    CampaignMismatchError,
    PlanRefusedError,
    InDoubtError,
)

#: A message that ends so names a file in the DAG's template search path.
TEXT_FILES = (".txt", ".md")


class WhatsAppTaskFailedError(AirflowFailException):
    """The task can't succeed by being retried; the cause says what to change."""


@contextmanager
def no_vain_retries() -> Iterator[None]:
    """Let Airflow fail the task at once where a retry is of no use."""
    try:
        yield
    except WhatsAppError as error:
        # A campaign that stopped itself because of a wrong token says so in its cause.
        if isinstance(error, _FINAL) or isinstance(error.__cause__, _FINAL):
            raise WhatsAppTaskFailedError(f"{type(error).__name__}: {error}") from error
        raise


class Private:
    """A rendered value that Airflow may store only in this form: masked.

    :param shown: how it looks in the UI and in the database.
    """

    def __init__(self, value: Any, shown: str) -> None:
        self.value = value
        self._shown = shown

    def serialize(self) -> str:
        """Return what Airflow stores of it."""
        return self._shown

    def __repr__(self) -> str:
        return self._shown


def reveal(value: Any) -> Any:
    """Return the value itself, wrapped or not."""
    return value.value if isinstance(value, Private) else value


class PrivateFields(BaseOperator):
    """Base of operators with fields that Airflow is not to store as they are."""

    #: Fields that hold people's data; :meth:`private` says how each is shown in their stead.
    private_fields: Sequence[str] = ()
    ui_color = "#d9fdd3"

    def private(self, field: str, value: Any) -> Private:
        """Wrap a private field's rendered value."""
        shown = f"<{len(value)} characters>" if isinstance(value, str) else f"<{type(value).__name__}>"
        return Private(value, shown)

    def _do_render_template_fields(self, parent: Any, *args: Any, **kwargs: Any) -> None:
        # Called for mapped and plain tasks alike, and for objects inside of fields. Dependencies were found
        # before, from the bare values; Airflow stores the fields after, and must find them wrapped.
        super()._do_render_template_fields(parent, *args, **kwargs)
        if parent is not self:
            return
        for field in self.private_fields:
            value = getattr(parent, field)
            if value is not None and not isinstance(value, Private):
                setattr(parent, field, self.private(field, value))


class WhatsAppOperator(NamedChannel, PrivateFields):
    """Base of the operators that reach a gateway.

    :param whatsapp_conn_id: a connection of one of the WhatsApp types.
    """

    template_fields: Sequence[str] = ("whatsapp_conn_id",)

    def __init__(self, *, whatsapp_conn_id: str = DEFAULT_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.whatsapp_conn_id = whatsapp_conn_id
        self._hook: WhatsAppHook | None = None

    @property
    def hook(self) -> WhatsAppHook:
        """The hook of this task's connection."""
        if self._hook is None:
            self._hook = WhatsAppHook(self.whatsapp_conn_id)
        return self._hook

    def execute(self, context: Context) -> Any:
        """Do the work; see :meth:`work`."""
        with no_vain_retries():
            return self.work(context)

    def work(self, context: Context) -> Any:
        """Do what the operator is for."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does.")

    def channel_ref(self, channel: ChannelLike) -> ChannelRef:
        """Return the channel that is meant, and say which in the log.

        :raises ConfigurationError: if the DAG names a channel and nothing came of it: the connection's own
            must not be used in its stead.
        """
        self.check_channel()
        ref = self.hook.channel_ref(channel)
        self.log.info(
            "Channel %s%s on %s.", ref.channel_id, f" ({ref.name})" if ref.name else "", ref.gateway
        )
        return ref


def read_text_file(environment: Environment, text: str) -> str:
    """Return what is in the file that ``text`` names, or ``text`` itself where it names none.

    :raises ConfigurationError: if there is no such file.
    """
    if not text.endswith(TEXT_FILES) or "\n" in text:
        return text
    from jinja2 import DictLoader, TemplateNotFound

    name = text.rpartition("/")[2][-60:]
    loader = environment.loader or DictLoader({})
    try:
        return loader.get_source(environment, text)[0]
    except TemplateNotFound:
        raise ConfigurationError(
            f"The message file {name!r} is neither beside the DAG's file nor in its template_searchpath. A text "
            f"that only ends in {' or '.join(TEXT_FILES)} needs a full stop after it."
        ) from None


def run_key(context: Context, *, with_map_index: bool) -> str:
    """Return the name of this task's run: the same for each attempt, another for each DAG run."""
    ti = context["ti"]
    key = f"{ti.dag_id}/{ti.task_id}/{ti.run_id}"
    index = ti.map_index if ti.map_index is not None else -1
    return f"{key}/{index}" if with_map_index and index >= 0 else key


def starter(context: Context) -> str:
    """Return who is behind this run: the person that started it, where Airflow tells, and the task."""
    user = getattr(context.get("dag_run"), "triggering_user_name", None)
    task = run_key(context, with_map_index=True)
    return f"{user} in {task}" if user else task
