"""Create a channel once, however often it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whatsapp_provider.errors import (
    ConfigurationError,
    Disposition,
    NameTakenError,
    NotFoundError,
    WhatsAppError,
)
from whatsapp_provider.hooks import edge
from whatsapp_provider.hooks.claims import wait_for_claim

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.records import NameClaim
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

    The sole right to create a name is a row in the ledger. It goes only when certainly nothing was created: a
    task that finds its own row of an earlier attempt knows that a channel of that name is its own, also when
    that attempt died before Airflow kept what it returned.

    :param owner: the same for each attempt of one task.
    :raises ConfigurationError: if the name is taken and must not be reused.
    :raises RateLimitedError: if the gateway creates no more channels now.
    :raises GatewayError: if the creation was not answered and no channel of that name appeared.
    """
    key = gateway.account_key

    def claim() -> NameClaim:
        return ledger.claim_channel_name(key, spec.name, owner=owner, seconds=CLAIM_SECONDS)

    begun = False
    while True:
        claimed = wait_for_claim(ledger, key, spec.name, owner=owner, seconds=CLAIM_SECONDS, sleep=sleep)
        begun = begun or claimed.resumed
        creation = _Creation(gateway.account(), spec, sleep, begun=begun, claim=claim)
        try:
            made = creation.find_or_create(may_reuse=may_reuse or begun)
            break
        except _ClaimLostError:
            if not begun:
                ledger.release_channel_name(key, spec.name, owner=owner)
        except BaseException:
            if not creation.begun:
                ledger.release_channel_name(key, spec.name, owner=owner)
            raise
    if creation.begun:
        # The name is free for others to look at, and the row still says whose channel it is.
        ledger.claim_channel_name(key, spec.name, owner=owner, seconds=0.0)
    else:
        ledger.release_channel_name(key, spec.name, owner=owner)
    return made


class _ClaimLostError(Exception):
    """Others had the name meanwhile and may have created the channel."""


class _Creation:
    """One attempt.

    :param begun: whether this attempt or an earlier one may have created the channel.
    :param claim: asks for the claim once more; looking for the channel may have outlasted it.
    """

    def __init__(
        self,
        account: AccountGateway,
        spec: ChannelSpec,
        sleep: Callable[[float], None],
        *,
        begun: bool,
        claim: Callable[[], NameClaim],
    ) -> None:
        self.begun = begun
        self._claim = claim
        self._account, self._spec, self._sleep = account, spec, sleep
        self._resumed = begun

    def find_or_create(self, *, may_reuse: bool) -> Created:
        found = self._find()
        if found is None and self._resumed:
            # An earlier attempt may have been cut off while the gateway was at it.
            found = self._look_again()
        if found is None:
            try:
                return Created(self._create(), created=True)
            except NameTakenError:
                # By somebody who shares no ledger with us, since we looked.
                found = self._find()
                if found is None:
                    raise
        if not may_reuse:
            raise ConfigurationError(
                f"The account has a channel named {self._spec.name!r} already ({found.ref.channel_id}). Give "
                'another name, or if_exists="reuse" to use it.'
            )
        return Created(found, created=False)

    def _find(self) -> Channel | None:
        try:
            return edge.run(self._account.find_channel(self._spec.name, project=self._spec.project))
        except NotFoundError as error:
            raise _no_project(self._spec, error) from error

    def _create(self) -> Channel:
        if not self._claim().resumed:
            raise _ClaimLostError
        self.begun = True
        try:
            return edge.run(self._account.create_channel(self._spec))
        except WhatsAppError as error:
            if error.disposition is not Disposition.HOLD:
                self.begun = self._resumed
                raise (
                    _no_project(self._spec, error) if isinstance(error, NotFoundError) else error
                ) from error
            found = self._look_again()
            if found is None:
                raise
            return found

    def _look_again(self) -> Channel | None:
        """Find out whether a creation without an answer was carried out."""
        for seconds in LOOKS:
            self._sleep(seconds)
            found = self._find()
            if found is not None:
                return found
        return None


def _no_project(spec: ChannelSpec, error: NotFoundError) -> ConfigurationError:
    named = f"project {spec.project!r}" if spec.project else "the connection's project"
    return ConfigurationError(
        f"The account does not know {named} ({error}). Mend project= of the task or the project of the connection."
    )
