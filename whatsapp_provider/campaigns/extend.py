"""Extend a campaign: render its message for further people, and write them into the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from whatsapp_provider.campaigns.audience import AudienceOptions, Findings, people
from whatsapp_provider.campaigns.ledger.control import By, Controlled
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.plan import Check, Press
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.campaigns.render import Renderer
from whatsapp_provider.campaigns.seen import SeenOnDisk


def extend_campaign(
    ledger: Ledger,
    campaign_id: str,
    template: Renderer,
    rows: Iterable[Row],
    options: AudienceOptions,
    by: By,
    *,
    check: Check | None = None,
    order: Order | None = None,
) -> Controlled:
    """Take further people into a campaign; who is in it already is passed over, who is by another form is left out.

    All rows are read and rendered before the first of them is written.

    :param template: what the campaign was planned with.
    :param check: refuses what the channel can't send.
    :param order: who is left out, and whose lane is which.
    :raises ConfigurationError: if there is no such campaign, or it can't be extended.
    :raises AudienceError: if rows can't be sent to.
    :raises TemplateError: naming the first row whose message can't be rendered.
    """
    findings = Findings(options)
    press = Press(template, check, findings)
    again: list[Planned] = []
    entries = list(press.planned(people(rows, options, findings, SeenOnDisk(), again)))
    return ledger.extend(campaign_id, [*entries, *again], by, order)
