"""Send a campaign."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow.providers.common.compat.sdk import conf

from whatsapp_provider.errors import CampaignPausedError, CampaignStoppedError, ConfigurationError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.audience import known_by, members_of, open_rows, shown
from whatsapp_provider.operators.base import Private, no_vain_retries, read_text_file, reveal, run_key
from whatsapp_provider.operators.choices import ON_IN_DOUBT, check_choice, historian, is_true, settle_seconds
from whatsapp_provider.operators.preview import show_preview
from whatsapp_provider.operators.running import WhatsAppSendingOperator
from whatsapp_provider.triggers.moment import WhatsAppMomentTrigger, check_due

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.audience import AudienceOptions
    from whatsapp_provider.campaigns.campaign import Campaign, Frozen
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import CampaignRecord
    from whatsapp_provider.campaigns.outcome import Outcome
    from whatsapp_provider.campaigns.render import MessageTemplate
    from whatsapp_provider.campaigns.runner import CampaignRunner

#: A wait longer than this gives the worker slot back, where the task may defer.
PATIENCE_SECONDS = 60.0
#: Mapped tasks that wait for the same moment wake apart.
JITTER_SECONDS = 5.0


class WhatsAppSendCampaignOperator(WhatsAppSendingOperator):
    """Send a message to everyone of an audience, each at most once, however often the task runs.

    Retry, Clear, a lost worker and a duplicate of the task all resume the same campaign. Returns a report:
    counts, reasons of failures, and who is in doubt, with numbers masked.

    :param audience: path or URL of a ``.csv`` or ``.jsonl`` file (any storage of ``ObjectStoragePath``), or a
        list of rows or numbers, or the output of a task, or a group's id (``…@g.us``), which means each of its
        members by themselves, or ``{"contacts": {"group": "vip"}}``, which means those of the gateway's own contacts
        who did not opt out, chosen by ``group``, ``source``, ``status`` and ``type``. Lists are readable in Airflow's
        database; files are not.
    :param message: a text, or a mapping with a ``kind``. Its Jinja sees one person's row and ``variables``
        and is not Airflow's: use ``variables`` for dates and the like. One that ends in ``.txt`` or ``.md``
        names a file in the DAG's template search path.
    :param variables: further values for every message; templated by Airflow.
    :param campaign_id: runs with the same id are the same campaign. By default one for each DAG run. Mapped
        tasks of a run share it and take parts of it, if they have the same audience; for an audience each, put
        ``{{ ti.map_index }}`` into it.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param recipient_field: the column with the number or WhatsApp id.
    :param region: ISO country code for numbers without country code.
    :param pace: ``cautious`` (the default: 2 a minute, 10 in 15 minutes, 240 a day), ``official`` or
        ``unlimited``; shared by all that send on the channel.
    :param concurrency: sends under way at once, and the most that a crash leaves in doubt.
    :param on_in_doubt: what becomes of what may or may not have been sent: ``reconcile`` looks it up in the
        gateway's history, where there is one, and holds the rest; ``hold`` lists it; ``resend`` sends it again
        (at least once): when nothing else is left, each is in doubt for ``[whatsapp] settle_seconds`` first, and at
        most 9 times, or until 5 sends in a row get no answer and the campaign pauses.
    :param on_rejected: ``keep`` lists what the gateway refused; ``resend`` tries those again when the task is
        run anew, e.g. after an outage in which everybody was refused.
    :param on_invalid: ``fail`` or ``skip`` rows whose recipient is no number.
    :param on_duplicate: ``fail`` or ``skip`` rows of a person who was listed before, in whatever format.
    :param preview: check everything, show a few rendered messages in the log, send nothing.
    :param deferrable: give the worker slot back when the pace asks for a wait of more than a minute.
    """

    template_fields: Sequence[str] = (
        "audience",
        "variables",
        "campaign_id",
        "channel",
        "pace",
        "preview",
        "whatsapp_conn_id",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"variables": "json"}
    private_fields: Sequence[str] = ("audience",)

    def __init__(
        self,
        *,
        audience: Any,
        message: str | Mapping[str, Any],
        variables: Mapping[str, Any] | None = None,
        campaign_id: str | None = None,
        channel: ChannelLike = None,
        recipient_field: str = "phone",
        region: str | None = None,
        pace: str = "cautious",
        concurrency: int = 5,
        on_in_doubt: Literal["reconcile", "hold", "resend"] = "reconcile",
        on_rejected: Literal["keep", "resend"] = "keep",
        on_invalid: Literal["fail", "skip"] = "fail",
        on_duplicate: Literal["fail", "skip"] = "fail",
        preview: bool | str = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("on_in_doubt", on_in_doubt, *ON_IN_DOUBT)
        check_choice("on_rejected", on_rejected, "keep", "resend")
        check_choice("on_invalid", on_invalid, "fail", "skip")
        check_choice("on_duplicate", on_duplicate, "fail", "skip")
        self.audience = audience
        self.message = message
        self.variables = variables
        self.campaign_id = campaign_id
        self.channel = channel
        self.recipient_field = recipient_field
        self.region = region
        self.pace = pace
        self.concurrency = concurrency
        self.on_in_doubt = on_in_doubt
        self.on_rejected = on_rejected
        self.on_invalid = on_invalid
        self.on_duplicate = on_duplicate
        self.preview = preview
        self.deferrable = deferrable

    def work(self, context: Context) -> dict[str, Any]:
        """Plan, send, report."""
        return self._go(context, resumed=False)

    def resume(self, context: Context, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Go on after a wait, with the audience and the values that were planned."""
        check_due(event)
        with no_vain_retries():
            return self._go(context, resumed=True)

    def private(self, field: str, value: Any) -> Private:
        """Show a file's path or a group's id, and of rows their number only."""
        return Private(value, shown(value))

    def _go(self, context: Context, *, resumed: bool) -> dict[str, Any]:
        from whatsapp_provider.campaigns.plan import plan_campaign
        from whatsapp_provider.campaigns.render import MessageTemplate

        message = self._message()
        frozen = self._frozen(message)
        template = MessageTemplate(message, shared=frozen.values())
        gateway = self.hook.gateway
        gateway.capabilities.require_kind(gateway.name, template.kind)
        if is_true("preview", self.preview):
            return self._preview(template)
        campaign = self._campaign(context)
        ledger = open_ledger()
        try:
            if resumed:
                record, kept = ledger.resume(campaign, frozen)
                template = MessageTemplate(message, shared=kept.values())
            else:
                check = self.hook.message_check(template.kind, channel=campaign.channel)
                record = plan_campaign(
                    ledger, campaign, template, self._rows(), self._options(), frozen, check=check
                )
            self._announce(ledger, record, campaign)
            outcome = self.follow(
                self._runner_of(ledger, record, campaign, template, context, resumed=resumed)
            )
            return self._conclude(outcome, ledger, record)
        finally:
            ledger.dispose()

    def _runner_of(
        self,
        ledger: Ledger,
        record: CampaignRecord,
        campaign: Campaign,
        template: MessageTemplate,
        context: Context,
        *,
        resumed: bool,
    ) -> CampaignRunner:
        from whatsapp_provider.campaigns.ledger.states import DeliveryState
        from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions

        gateway = self.hook.gateway
        options = RunOptions(
            send_timeout=gateway.send_timeout,
            settle=settle_seconds(),
            label=run_key(context, with_map_index=True),
            patience=PATIENCE_SECONDS if self.deferrable else inf,
            resumed=resumed,
            # Once for each time that somebody runs the task, not at each end of a wait.
            again=(DeliveryState.REJECTED,) if self.on_rejected == "resend" and not resumed else (),
        )
        channel = gateway.channel(campaign.channel)
        history = historian(gateway.capabilities, channel)
        return CampaignRunner(ledger, record, campaign, template, channel, options, history=history)

    def _announce(self, ledger: Ledger, record: CampaignRecord, campaign: Campaign) -> None:
        counts = ledger.counts(record)
        self.log.info(
            "Campaign %s %s: %d recipients, %d still to be sent to. Ledger: %s.",
            record.campaign_id,
            "planned" if record.fresh else "resumed",
            counts.total,
            counts.open,
            ledger.name,
        )
        self.log.info(
            "Pace %s: at least %.0f s for the rest.", campaign.pace.name, campaign.pace.forecast(counts.open)
        )

    def _conclude(self, outcome: Outcome, ledger: Ledger, record: CampaignRecord) -> dict[str, Any]:
        from whatsapp_provider.campaigns.outcome import Ending
        from whatsapp_provider.campaigns.report import lines, report

        summary = report(ledger, record)
        for line in lines(summary):
            self.log.info(line)
        if outcome.ending is Ending.WAITING:
            self.log.info(
                "The pace allows the next message in %.0f s; until then the slot is free.", outcome.seconds
            )
            moment = time.time() + outcome.seconds + random.uniform(0, JITTER_SECONDS)  # noqa: S311 - no secret
            self.defer(trigger=WhatsAppMomentTrigger(moment), method_name="resume")
        if outcome.ending is Ending.PAUSED:
            raise CampaignPausedError(
                f"Campaign {record.campaign_id!r} stopped itself with {summary['open']} recipients left: "
                f"{outcome.reason} They are kept: run the task again when the cause is gone, with "
                'on_rejected="resend" for those who were refused because of it.'
            ) from outcome.error
        if outcome.ending is Ending.STOPPED:
            raise CampaignStoppedError(
                f"Campaign {record.campaign_id!r} was stopped with {summary['open']} recipients left. Run the task "
                "again to go on."
            )
        if summary["in_doubt"]:
            self.log.warning(
                "Some messages are in doubt, and are listed above.%s",
                f" Why: {outcome.reason}." if outcome.reason else " They were not resent.",
            )
        return summary

    def _preview(self, template: MessageTemplate) -> dict[str, Any]:
        check = self.hook.message_check(template.kind, channel=self.channel_ref(self.channel))
        return show_preview(self.log, template, self._rows(), self._options(), check)

    def _rows(self) -> Any:
        return open_rows(
            reveal(self.audience),
            recipient_field=self.recipient_field,
            members=lambda group: members_of(self.hook, self.channel_ref(self.channel), group),
            contacts=self.hook.contacts,
        )

    def _options(self) -> AudienceOptions:
        from whatsapp_provider.campaigns.audience import AudienceOptions, Policy

        return AudienceOptions(
            recipient_field=self.recipient_field,
            known_by=known_by(reveal(self.audience)),
            region=self.region,
            on_invalid=Policy(self.on_invalid),
            on_duplicate=Policy(self.on_duplicate),
        )

    def _campaign(self, context: Context) -> Campaign:
        from whatsapp_provider.campaigns.campaign import Campaign, OnInDoubt
        from whatsapp_provider.campaigns.pacing import Pace

        return Campaign(
            campaign_id=self.campaign_id or run_key(context, with_map_index=False),
            channel=self.channel_ref(self.channel),
            pace=Pace.named(self.pace),
            concurrency=self.concurrency,
            on_in_doubt=OnInDoubt(self.on_in_doubt),
            channel_scope=self.hook.gateway.channel_scope,
        )

    def _frozen(self, message: str | Mapping[str, Any]) -> Frozen:
        from whatsapp_provider.campaigns.campaign import Frozen
        from whatsapp_provider.campaigns.render import MessageTemplate

        if not isinstance(self.variables, Mapping | None):
            raise ConfigurationError(
                f"variables is a {type(self.variables).__name__}; give a mapping of names to values."
            )
        return Frozen.of(MessageTemplate(message).canonical(), self.variables)

    def _message(self) -> str | Mapping[str, Any]:
        """Return the message, read from its file where it names one."""
        if not isinstance(self.message, str):
            return self.message
        return read_text_file(self.get_template_env(), self.message)
