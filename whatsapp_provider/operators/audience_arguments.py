"""The arguments that say whom a task means, and how their rows are read."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from whatsapp_provider.operators.audience import known_by, members_of, open_rows, shown
from whatsapp_provider.operators.base import Private, PrivateFields, reveal
from whatsapp_provider.operators.choices import alias_columns, check_choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whatsapp_provider.campaigns.audience import AudienceOptions
    from whatsapp_provider.campaigns.readers import Row
    from whatsapp_provider.operators.routes import Reach


class AudienceArguments(PrivateFields):
    """Base of the tasks that read an audience.

    :param audience: path or URL of a ``.csv``, ``.jsonl`` or ``.parquet`` file (any storage of
        ``ObjectStoragePath``), a query (``SqlAudience``), a list of rows or numbers, or the output of a task, or a
        group's id (``…@g.us``), which means each of its members by themselves, or ``{"contacts": {"group": "vip"}}``,
        which means those of the gateway's own contacts who did not opt out, chosen by ``group``, ``source``,
        ``status`` and ``type``. Lists are readable in Airflow's database; files and queries are not.
    :param recipient_field: the column with the number or WhatsApp id.
    :param columns: other names for columns, e.g. ``{"phone": "mobile_number"}``: what the message calls them first.
    :param aliases: columns with further forms of a person, e.g. ``{"lid": "lid", "user_id": "bsuid"}``: a STOP from
        any of them counts.
    :param region: ISO country code for numbers without country code.
    :param consent: the column that says who agreed to be written to; whoever did not is left out.
    :param on_invalid: ``fail`` or ``skip`` rows whose recipient is no number.
    :param on_duplicate: ``fail`` or ``skip`` rows of a person who was listed before, in whatever format.
    """

    private_fields: Sequence[str] = ("audience",)

    def __init__(
        self,
        *,
        audience: Any = None,
        recipient_field: str = "phone",
        columns: Mapping[str, str] | None = None,
        aliases: Mapping[str, str] | None = None,
        region: str | None = None,
        consent: Any = None,
        on_invalid: Literal["fail", "skip"] = "fail",
        on_duplicate: Literal["fail", "skip"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("on_invalid", on_invalid, "fail", "skip")
        check_choice("on_duplicate", on_duplicate, "fail", "skip")
        if columns is not None and not isinstance(columns, Mapping):
            raise ValueError(
                'columns takes the message\'s names with the source\'s, e.g. {"phone": "mobile_number"}'
            )
        self.audience = audience
        self.recipient_field = recipient_field
        self.columns = columns
        self.aliases = aliases
        self.region = region
        self.consent = consent
        self.on_invalid = on_invalid
        self.on_duplicate = on_duplicate

    def private(self, field: str, value: Any) -> Private:
        """Show a file's path or a group's id, and of rows their number only."""
        return Private(value, shown(value))

    @contextmanager
    def rows(self, first: Reach) -> Iterator[Iterator[Row]]:
        """Yield the audience's rows, and let their source go in this thread: some drivers refuse it in another.

        :param first: the channel whose groups and contacts are meant.
        """
        rows = open_rows(
            reveal(self.audience),
            recipient_field=self.recipient_field,
            members=lambda group: members_of(first.hook, first.channel, group),
            contacts=first.hook.contacts,
            columns=self.columns,
        )
        try:
            yield rows
        finally:
            if isinstance(rows, Generator):
                rows.close()

    def audience_options(self) -> AudienceOptions:
        """Return how rows are read."""
        from whatsapp_provider.campaigns.audience import AudienceOptions, Policy
        from whatsapp_provider.campaigns.consent import Consent

        consent = Consent.read(self.consent)
        return AudienceOptions(
            recipient_field=self.recipient_field,
            known_by=known_by(reveal(self.audience)),
            region=self.region,
            on_invalid=Policy(self.on_invalid),
            on_duplicate=Policy(self.on_duplicate),
            judge=None if consent is None else consent.judge,
            aliases=alias_columns(self.aliases),
        )
