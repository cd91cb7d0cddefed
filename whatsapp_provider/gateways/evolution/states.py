"""What an instance's state means for a channel (states and rows captured from 2.3.6)."""

from __future__ import annotations

from whatsapp_provider.gateways.evolution.payloads import InstanceRow
from whatsapp_provider.model import ChannelState, ChannelStatus

BAILEYS = "WHATSAPP-BAILEYS"
LOGGED_OUT = 401  #: unlinked on the phone, or by a logout
REFUSED = {
    402: "the account is expired or restricted",
    403: "the account is banned",
    406: "the client is refused",
}


def status_of(state: str | None, row: InstanceRow | None) -> ChannelStatus:
    """Return the channel's status from the live state and the stored row, where that could be had."""
    word = state or "no state yet"
    if state == "open":
        return ChannelStatus(ChannelState.CONNECTED, word, phone_of(row.owner) if row else None)
    if state == "connecting":
        return ChannelStatus(_connecting(row), word)
    if state in {"close", "refused"}:
        return _closed(word, row)
    # A server that has just started answers without a state; a word of a later version is waited for.
    return ChannelStatus(ChannelState.INITIALIZING, word)


def phone_of(jid: str | None) -> str | None:
    """Return the digits of an id such as ``15550001000:12@s.whatsapp.net``, ``None`` for one without a number."""
    if not jid:
        return None
    name, _, server = jid.partition("@")
    digits = name.partition(":")[0]
    return digits if server in {"", "s.whatsapp.net", "c.us"} and digits.isdigit() else None


def _connecting(row: InstanceRow | None) -> ChannelState:
    """Tell a QR code that is shown from a paired phone that comes back."""
    if row is None or not row.owner:
        return ChannelState.WAITING_FOR_PAIRING
    # The reason of the last loss stays after a reconnect; the stored state is only changed by a QR code.
    is_unlinked = row.lost_by == LOGGED_OUT and row.status != "open"
    return ChannelState.WAITING_FOR_PAIRING if is_unlinked else ChannelState.INITIALIZING


def _closed(word: str, row: InstanceRow | None) -> ChannelStatus:
    if row is None:
        return ChannelStatus(ChannelState.WAITING_FOR_PAIRING, word)
    if row.integration not in {None, BAILEYS}:
        return ChannelStatus(ChannelState.DISCONNECTED, f"{word}: logged out")
    if not row.owner:
        return ChannelStatus(ChannelState.WAITING_FOR_PAIRING, f"{word}: never paired")
    if row.lost_by in REFUSED:
        return ChannelStatus(
            ChannelState.ERROR, f"{word}: {REFUSED[row.lost_by]} (WhatsApp's code {row.lost_by})"
        )
    # Version 1 tells no reason; both close for good only, and go on connecting after any other loss.
    if row.lost_by == LOGGED_OUT or not row.tells_losses:
        return ChannelStatus(ChannelState.WAITING_FOR_PAIRING, f"{word}: logged out")
    return ChannelStatus(ChannelState.DISCONNECTED, word)
