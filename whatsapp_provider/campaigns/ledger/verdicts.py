"""What a gateway's refusal of one message says of its person for the messages after it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from whatsapp_provider.campaigns.identity import address_forms
from whatsapp_provider.campaigns.ledger import numbers, spreading, suppression
from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.spreading import Entry
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.ledger.suppression import Source

#: The list of those who told WhatsApp itself that they want no marketing of this business. It is no ``opt_out``:
#: what they ordered and what they are owed may still be told them.
MARKETING = "marketing"
#: Meta's code for it. Not 131047, which tells of 24 hours that are over, nor 131049, which is Meta's own restraint.
STOPPED_MARKETING = "meta_131050"
ABSENT = "not_on_whatsapp"


def heed(connection: Connection, channel: str, results: Sequence[Result], now: float) -> None:
    """Remember who must not be written to again, and who can't be.

    :param channel: the name in the ledger of the channel that was refused.
    """
    refused = [result for result in results if result.state is DeliveryState.REJECTED]
    stopped = [result.task.recipient for result in refused if result.code == STOPPED_MARKETING]
    if stopped:
        entry = Entry(MARKETING, Source.GATEWAY, channel, now)
        spreading.suppress(connection, [[recipient] for recipient in stopped], entry)
    absent = [
        result.task.recipient
        for result in refused
        # A number with two forms may be there by the other one.
        if result.code == ABSENT and len(address_forms(result.task.recipient)) == 1
    ]
    if absent:
        # An erased person, whose message was on its way meanwhile, is among those on the list.
        listed = suppression.suppressed(connection, absent, None, now)
        absent = [recipient for recipient in absent if recipient not in listed]
        numbers.absent(connection, channel.partition("/")[0], absent, now)
