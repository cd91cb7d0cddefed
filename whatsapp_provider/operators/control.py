"""Pause, resume and cancel campaigns, set their deadlines, have the failed sent again, and take further people in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.common.compat.sdk import BaseOperator

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.audience_arguments import AudienceArguments
from whatsapp_provider.operators.base import no_vain_retries, starter
from whatsapp_provider.operators.choices import check_choice, moment_of
from whatsapp_provider.operators.jobs import planned_job
from whatsapp_provider.operators.named_campaign import campaign_id_of
from whatsapp_provider.operators.routes import message_check

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.ledger.control import By, Controlled
    from whatsapp_provider.campaigns.ledger.ledger import Ledger

_ACTIONS = ("pause", "resume", "cancel", "resend", "expire")


class WhatsAppControlCampaignOperator(BaseOperator):
    """Pause, resume or cancel a campaign, have the failed sent to again, or set its deadline.

    The ledger keeps who did it and when. To do it twice changes nothing more. Returns ``campaign_id``, ``action``,
    ``state``, ``held_by``, whether it ``changed`` anything, and how many ``deliveries`` were given up or planned again.

    :param campaign: what a task returned that planned or sent the campaign, or its ``campaign_id``.
    :param action: ``pause``, ``resume``, ``cancel``, ``resend`` (plan those again whom the gateway refused or reported
        as failed) or ``expire``; templated, or the output of a task, e.g. what a person chose.
    :param at: for ``expire``, the moment after which nothing more is sent, as a datetime or an ISO text with its
        offset; now where it is left out.
    :param by: who does it; by default who started the DAG run, and the task.
    :param note: what is to be remembered of it.
    """

    template_fields: Sequence[str] = ("campaign", "action", "at", "by", "note")
    ui_color = "#d9fdd3"

    def __init__(
        self,
        *,
        campaign: Any,
        action: Literal["pause", "resume", "cancel", "resend", "expire"] | Any,
        at: datetime | str | None = None,
        by: str | None = None,
        note: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(action, str) and "{{" not in action:
            check_choice("action", action, *_ACTIONS)
        self.campaign = campaign
        self.action = action
        self.at = at
        self.by = by
        self.note = note

    def execute(self, context: Context) -> dict[str, Any]:
        """Do it."""
        with no_vain_retries():
            return self._act(context)

    def _act(self, context: Context) -> dict[str, Any]:
        from whatsapp_provider.campaigns.ledger.control import By

        if self.action not in _ACTIONS:
            raise ConfigurationError(f"action must be one of {', '.join(_ACTIONS)}, not {self.action!r}.")
        if self.at is not None and self.action != "expire":
            raise ConfigurationError(f"at goes with action='expire', not with {self.action!r}.")
        campaign_id, by = campaign_id_of(self.campaign), By(self.by or starter(context), self.note)
        ledger = open_ledger()
        try:
            done = self._acts(ledger)[self.action](campaign_id, by)
        finally:
            ledger.dispose()
        self.log.info(
            "Campaign %s: %s %s; it is %s%s, %d deliveries.",
            campaign_id,
            self.action,
            "done" if done.changed else "changed nothing",
            done.state,
            f", held back by {done.held_by}" if done.held_by else "",
            done.deliveries,
        )
        return done.to_dict()

    def _acts(self, ledger: Ledger) -> Mapping[str, Callable[[str, By], Controlled]]:
        return {
            "pause": ledger.pause,
            "resume": ledger.unpause,
            "cancel": ledger.cancel,
            "resend": ledger.resend_failed,
            "expire": lambda campaign_id, by: ledger.expire(campaign_id, by, at=_moment(self.at)),
        }


class WhatsAppExtendCampaignOperator(AudienceArguments):
    """Take further people into a campaign, under the message and the rules that it was planned with.

    Who is in it already is passed over, so that a retry adds nobody twice. All rows are read and rendered before the
    first is written. A campaign that is running sends to them at once; else run its task again. Returns the same as
    ``WhatsAppControlCampaignOperator``.

    :param campaign: what a task returned that planned or sent the campaign, or its ``campaign_id``.
    :param by: who does it; by default who started the DAG run, and the task.
    :param note: what is to be remembered of it.
    """

    template_fields: Sequence[str] = ("campaign", "audience", "by", "note")
    ui_color = "#d9fdd3"

    def __init__(
        self, *, campaign: Any, by: str | None = None, note: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.campaign = campaign
        self.by = by
        self.note = note

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, render, write."""
        with no_vain_retries():
            ledger = open_ledger()
            try:
                done = self._extend(ledger, context)
            finally:
                ledger.dispose()
        self.log.info("Campaign %s: %d taken in; it is %s.", done.campaign_id, done.deliveries, done.state)
        return done.to_dict()

    def _extend(self, ledger: Ledger, context: Context) -> Controlled:
        from whatsapp_provider.campaigns.extend import extend_campaign
        from whatsapp_provider.campaigns.ledger.control import By
        from whatsapp_provider.campaigns.ordering import order_for

        job = planned_job(ledger, self.campaign, concurrency=1, on_in_doubt="hold")
        terms, first = ledger.terms(job.record), job.everywhere[0]
        weights = {reach.key: reach.weight for reach in job.everywhere}
        with self.rows(first) as rows:
            return extend_campaign(
                ledger,
                campaign_id_of(self.campaign),
                job.template,
                rows,
                self.audience_options(),
                By(self.by or starter(context), self.note),
                check=message_check(job.everywhere, job.template.kind),
                order=order_for(terms, job.campaign, first.hook.gateway.name, weights=weights)
                if terms
                else None,
            )


def _moment(at: datetime | str | None) -> float | None:
    """Return seconds since the epoch; what a template made nothing of does not mean now."""
    found = moment_of("at", at)
    if found is None and at is not None:
        raise ConfigurationError(f"at is {at!r}; give an ISO text with its offset, or leave it out for now.")
    return found
