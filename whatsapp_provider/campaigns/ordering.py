"""What is written of a campaign besides its people, and who of them is left out: put together for the planner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.parting import parted
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.screening import screens_of
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.campaigns.terms import Terms
from whatsapp_provider.errors import ConfigurationError


def order_for(
    terms: Terms,
    campaign: Campaign,
    gateway: str,
    *,
    weights: Mapping[str, float] | None = None,
    expires_at: float | None = None,
    state: CampaignState = CampaignState.RUNNING,
    needs_approval: bool = False,
) -> Order:
    """Return what the planner is to make of a campaign.

    :param gateway: the name of the gateway whose word on numbers counts: that of the first channel.
    :param weights: by the channels' names in the ledger, how people whom no channel knows are spread over them.
    :param expires_at: the moment after which nothing of it is sent, in seconds since the epoch.
    :param state: where it is once it is planned.
    :raises ConfigurationError: if another task is to send it, and the ledger can't keep its message.
    """
    columns: dict[str, Any] = {"expires_at": expires_at, "needs_approval": int(needs_approval)}
    try:
        columns |= terms.columns()
    except ConfigurationError:
        # Bytes, for one. A task that plans and sends in one has its message at hand; another would not.
        if state is CampaignState.READY:
            raise
    order = Order(state=state, terms=columns, screens=screens_of(campaign.rules, gateway))
    return parted(order, campaign, weights)
