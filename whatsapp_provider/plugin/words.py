"""A channel's state and every failure in words for the person with the phone: what is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from whatsapp_provider.errors import (
    ChannelHaltedError,
    ConfigurationError,
    CredentialRejectedError,
    GatewayError,
    NotFoundError,
    QuotaExceededError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.model import ChannelState, ChannelStatus
from whatsapp_provider.redaction import mask_number, redact

SOON = 2.0  #: seconds until the page asks again while something is about to happen
LATER = 10.0  #: and while nothing changes by itself

SCAN = "On the phone: WhatsApp → Settings → Linked devices → Link a device."


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says.

    :param state: one of the channel states, ``choose`` or ``problem``.
    :param tone: ``wait``, ``scan``, ``done`` or ``problem``; the page's colours follow it.
    :param advice: what the person should do now.
    :param detail: the gateway's own word, where it helps.
    :param choices: the channels of the account, where one must be chosen.
    """

    state: str
    tone: str
    title: str
    advice: str = ""
    detail: str = ""
    again_in: float = SOON
    choices: tuple[dict[str, Any], ...] = field(default=())


def of_status(status: ChannelStatus, *, has_qr: bool = False, by_number: bool = False) -> Words:
    """Return what to say of one look at a channel.

    :param has_qr: a code is shown.
    :param by_number: the gateway gives codes for a number only.
    """
    state, detail = status.state, redact(status.detail)
    if state is ChannelState.WAITING_FOR_PAIRING and by_number:
        return Words(state, "scan", "Link the phone by its number", "Give the number below to get a code.")
    if state is ChannelState.WAITING_FOR_PAIRING and has_qr:
        return Words(state, "scan", "Scan this code with WhatsApp", SCAN)
    if state is ChannelState.CONNECTED:
        phone = f"Phone {mask_number(status.account_phone)}" if status.account_phone else "A phone"
        return Words(state, "done", "Connected", f"{phone} is linked. You can close this page.", "", LATER)
    tone, title, advice, again_in = _STATES[state]
    if detail and state is ChannelState.INITIALIZING:
        return Words(state, tone, f"{title} ({detail})", advice, "", again_in)
    return Words(state, tone, title, advice, f"The gateway says: {detail}" if detail else "", again_in)


_STATES: dict[ChannelState, tuple[str, str, str, float]] = {
    ChannelState.PROVISIONING: (
        "wait",
        "The channel is being prepared",
        "A new channel needs a minute or two. Leave this page open; it goes on by itself.",
        SOON,
    ),
    ChannelState.INITIALIZING: ("wait", "Starting…", "The code appears here as soon as there is one.", SOON),
    ChannelState.WAITING_FOR_PAIRING: (
        "wait",
        "Waiting for the code…",
        "Have the phone at hand: WhatsApp → Settings → Linked devices → Link a device.",
        SOON,
    ),
    ChannelState.DISCONNECTED: (
        "problem",
        "The linked phone has no connection",
        "Open WhatsApp on the phone and check its network. If the phone was replaced, unlink the channel on it.",
        LATER,
    ),
    ChannelState.STOPPED: (
        "problem",
        "The channel is stopped",
        "It was stopped, or its paid time is over. Extend or start it, by an Airflow task or at the gateway; "
        "this page notices.",
        LATER,
    ),
    ChannelState.ERROR: (
        "problem",
        "The gateway reports an error of this channel",
        "If it stays for some minutes, restart the channel, by an Airflow task or at the gateway.",
        LATER,
    ),
}


def choose(choices: tuple[dict[str, Any], ...]) -> Words:
    """Return what to say when the account has channels and none is named."""
    if not choices:
        return _problem("The account has no channel yet", "Create one with an Airflow task, then come back.")
    return Words("choose", "scan", "Which channel?", "Choose the one to pair.", "", LATER, choices)


def unknown_connection(conn_id: str) -> Words:
    """Return what to say when Airflow has no such connection."""
    advice = (
        "Create it under Admin → Connections, or correct conn_id in the link."
        if conn_id
        else "Choose the connection of the gateway."
    )
    return _problem(f"There is no connection “{conn_id}”" if conn_id else "No connection is named", advice)


def of_error(error: BaseException, conn_id: str) -> Words:
    """Return what to say of a failure; its text is already free of secrets and is redacted once more."""
    said = redact(str(error)) if isinstance(error, WhatsAppError) else ""
    where = f"connection “{conn_id}” (Admin → Connections)"
    if isinstance(error, CredentialRejectedError):
        return _problem("The gateway refuses the token", f"Correct the token of {where}.", said)
    if isinstance(error, NotFoundError):
        advice = (
            f"It was deleted, or belongs to another account than {where}. Create the channel again, or open "
            "the link of the one that is meant."
        )
        return _problem("This channel does not exist", advice, said)
    if isinstance(error, QuotaExceededError):
        return _problem("The limit of the account is used up", "Extend the plan at the gateway.", said)
    if isinstance(error, UnsupportedError):
        advice = "Pair the phone where the gateway itself offers it."
        return _problem("This gateway can't pair from here", advice, said)
    if isinstance(error, ConfigurationError):
        return _problem("The connection can't be used like this", f"Look at {where}.", said)
    if isinstance(error, ChannelHaltedError):
        return _problem("The gateway refuses", "What it says is below; try again in a minute.", said)
    if isinstance(error, GatewayError | TimeoutError):
        return Words(
            "problem",
            "wait",
            "The gateway does not answer at the moment",
            "Trying again. If it stays like this, check the address in the connection and the gateway's status.",
            said,
        )
    return _problem("Something went wrong here", "The log of Airflow's API server names the failure.", said)


def _problem(title: str, advice: str, detail: str = "") -> Words:
    return Words("problem", "problem", title, advice, detail, LATER)
