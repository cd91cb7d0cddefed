"""The arguments of the tasks that plan and that send a campaign, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.operators.audience_arguments import AudienceArguments
from whatsapp_provider.operators.base import read_text_file
from whatsapp_provider.operators.choices import check_choice, is_true, moment_of
from whatsapp_provider.operators.routes import Reach
from whatsapp_provider.operators.running import WhatsAppSendingOperator
from whatsapp_provider.operators.staleness import AUTO, Staleness, check_staleness

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.campaign import Frozen
    from whatsapp_provider.campaigns.render import MessageTemplate
    from whatsapp_provider.campaigns.rules import Rules
    from whatsapp_provider.campaigns.terms import Terms


class CampaignArguments(AudienceArguments, WhatsAppSendingOperator):
    """Base of the tasks that plan a campaign: what they are given.

    :param message: a text, or a mapping with a ``kind``. Its Jinja sees one person's row and ``variables``
        and is not Airflow's: use ``variables`` for dates and the like. One that ends in ``.txt`` or ``.md``
        names a file in the DAG's template search path.
    :param variables: further values for every message; templated by Airflow.
    :param campaign_id: runs with the same id are the same campaign. By default one for each DAG run. Mapped
        tasks of a run share it and take parts of it, if they have the same audience; for an audience each, put
        ``{{ ti.map_index }}`` into it.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param channels: several channels in its stead, of one or several gateways: a list of channels, or of mappings
        such as ``{"whatsapp_conn_id": "second", "channel": "…", "weight": 2}``. A person keeps the number they
        know; the others are spread by weight.
    :param failover: whether what a broken channel has certainly not sent goes through another one of ``channels``.
    :param suppression_lists: the suppression lists that count, by default all of them; ``opt_out`` counts always.
    :param frequency_cap: e.g. ``{"messages": 1, "days": 7}``: whoever had so many messages, of all campaigns, is left
        out.
    :param pace: ``cautious`` (the default: 2 a minute, 10 in 15 minutes, 240 a day), ``official``, ``unlimited``, or a
        mapping such as ``{"per_day": 200, "spacing": [5, 30], "warm_up": True}``; shared by all that send on a channel.
    :param calendar: the days and hours at which it sends, e.g. ``{"hours": "09:00-18:00", "days": "mon-fri",
        "time_zone": "America/Sao_Paulo"}``.
    :param quiet_hours: when recipients are left alone, by their own clocks, e.g. ``"21:00-08:00"``.
    :param expires_at: the moment after which nothing more is sent, as a datetime or an ISO text with its offset.
    :param media: what becomes of files by URL that can't be had, which are looked at before anything is sent:
        ``refuse`` the plan, ``warn``, or ``ignore``.
    :param max_staleness: how long ago a scheduled or backfilled run may have been due; older ones are skipped. By
        default until the schedule's next run but one. ``None`` for any time.
    """

    template_fields: Sequence[str] = (
        "audience",
        "variables",
        "campaign_id",
        "channel",
        "channels",
        "pace",
        "expires_at",
        "whatsapp_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"variables": "json"}

    def __init__(
        self,
        *,
        message: str | Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        campaign_id: str | None = None,
        channel: ChannelLike = None,
        channels: Any = None,
        failover: bool = True,
        suppression_lists: Sequence[str] | None = None,
        frequency_cap: Mapping[str, Any] | None = None,
        pace: Any = "cautious",
        calendar: Any = None,
        quiet_hours: Any = None,
        expires_at: datetime | str | None = None,
        media: Literal["refuse", "warn", "ignore"] = "refuse",
        max_staleness: Staleness = AUTO,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_staleness(max_staleness)
        check_choice("media", media, "refuse", "warn", "ignore")
        if channel is not None and channels is not None:
            raise ValueError("Give channel or channels, not both.")
        self.message = message
        self.variables = variables
        self.campaign_id = campaign_id
        self.channel = channel
        self.channels = channels
        self.failover = failover
        self.suppression_lists = suppression_lists
        self.frequency_cap = frequency_cap
        self.pace = pace
        self.calendar = calendar
        self.quiet_hours = quiet_hours
        self.expires_at = expires_at
        self.media = media
        self.max_staleness = max_staleness

    def terms(self, everywhere: Sequence[Reach]) -> Terms:
        """Return what the campaign is planned with.

        :raises ConfigurationError: naming the argument that can't be read.
        """
        from whatsapp_provider.campaigns.pacing import Pace
        from whatsapp_provider.campaigns.terms import Terms

        if not isinstance(self.variables, Mapping | None):
            raise ConfigurationError(
                f"variables is a {type(self.variables).__name__}; give a mapping of names to values."
            )
        return Terms(
            message=self._message(),
            pace=Pace.from_value(self.pace),
            rules=self._rules(),
            routes=tuple(reach.route for reach in everywhere),
            shared=dict(self.variables or {}),
            failover=is_true("failover", self.failover),
        )

    def _rules(self) -> Rules:
        from whatsapp_provider.campaigns.calendars import Calendar, QuietHours
        from whatsapp_provider.campaigns.rules import FrequencyCap, Rules

        lists = self.suppression_lists
        if isinstance(lists, str):
            raise ConfigurationError("suppression_lists must be a list of names.")
        return Rules(
            calendar=None if self.calendar is None else Calendar.from_value(self.calendar),
            quiet=None if self.quiet_hours is None else QuietHours.from_value(self.quiet_hours),
            lists=None if lists is None else tuple(map(str, lists)),
            cap=FrequencyCap.from_value(self.frequency_cap),
        )

    def frozen(self, terms: Terms) -> Frozen:
        """Return what the ledger keeps of the template for a resume."""
        from whatsapp_provider.campaigns.campaign import Frozen
        from whatsapp_provider.campaigns.render import MessageTemplate

        return Frozen.of(MessageTemplate(terms.message).canonical(), terms.shared)

    def template(self, terms: Terms, frozen: Frozen) -> MessageTemplate:
        """Return the message as it is rendered, with the values as they are kept."""
        from whatsapp_provider.campaigns.render import MessageTemplate

        return MessageTemplate(terms.message, shared=frozen.values())

    def expiry(self) -> float | None:
        """Return the moment after which nothing is sent, in seconds since the epoch.

        :raises ConfigurationError: if it is no moment, or one without an offset.
        """
        return moment_of("expires_at", self.expires_at)

    def _message(self) -> str | Mapping[str, Any]:
        """Return the message, read from its file where it names one."""
        if self.message is None:
            raise ConfigurationError("message is missing: what is to be sent?")
        if not isinstance(self.message, str):
            return self.message
        return read_text_file(self.get_template_env(), self.message)
