"""Create a channel once, however often it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whatsapp_provider.errors import ConfigurationError, Disposition, GatewayError
from whatsapp_provider.hooks import edge

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.gateways.base import AccountGateway, Gateway
    from whatsapp_provider.model import Channel, ChannelSpec

CLAIM_SECONDS = 300.0
#: Seconds before each look for a channel whose creation was not answered.
LOOKS = (1.0, 3.0, 6.0)


@dataclass(frozen=True, slots=True)
class Created:
    """The channel, and whether this call bought it."""

    channel: Channel
    created: bool


def create_once(
    gateway: Gateway,
    ledger: Ledger,
    spec: ChannelSpec,
    *,
    owner: str,
    may_reuse: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> Created:
    """Create the channel, or return the one of that name.

    The sole right to create a name is a row in the ledger. Whoever finds their own row left by an earlier
    attempt knows that a channel of that name is theirs.

    :param owner: the same for each attempt of one task.
    :raises ConfigurationError: if the name is taken and must not be reused.
    :raises RateLimitedError: if the gateway creates no more channels now.
    :raises GatewayError: if the creation was not answered and no channel of that name appeared.
    """
    account = gateway.account()
    key = gateway.account_key
    claim = ledger.claim_channel_name(key, spec.name, owner=owner, seconds=CLAIM_SECONDS)
    while claim.wait is not None:
        sleep(min(claim.wait, 2.0))
        claim = ledger.claim_channel_name(key, spec.name, owner=owner, seconds=CLAIM_SECONDS)
    try:
        return _find_or_create(account, spec, may_reuse=may_reuse or claim.resumed, sleep=sleep)
    finally:
        ledger.release_channel_name(key, spec.name, owner=owner)


def _find_or_create(
    account: AccountGateway, spec: ChannelSpec, *, may_reuse: bool, sleep: Callable[[float], None]
) -> Created:
    found = edge.run(account.find_channel(spec.name, project=spec.project))
    if found is not None:
        if not may_reuse:
            raise ConfigurationError(
                f"The account has a channel named {spec.name!r} already ({found.ref.channel_id}). Give another "
                'name, or if_exists="reuse" to use it.'
            )
        return Created(found, created=False)
    try:
        return Created(edge.run(account.create_channel(spec)), created=True)
    except GatewayError as error:
        if error.disposition is not Disposition.HOLD:
            raise
        return Created(_look_again(account, spec, error, sleep), created=True)


def _look_again(
    account: AccountGateway, spec: ChannelSpec, error: GatewayError, sleep: Callable[[float], None]
) -> Channel:
    """Find out whether a creation without an answer was carried out."""
    for seconds in LOOKS:
        sleep(seconds)
        found = edge.run(account.find_channel(spec.name, project=spec.project))
        if found is not None:
            return found
    raise error
