"""The states of a delivery, and what each of them means."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where the message to one recipient is.

    ::

        planned ──► sending ──► accepted ──► delivered ──► read
           ▲           ├──────► rejected           └─────► failed
           ├─postponed◄┤
           └───────────┴──────► in_doubt

    Out of ``in_doubt`` leads proof only: a result that comes late, for its own attempt; the message itself in
    the gateway's history or news of it (accepted); its absence there in two looks (planned); the word of a
    person. Without proof, only the campaign's owner may have it planned again, by asking for resends.
    """

    PLANNED = "planned"  #: to be sent
    SENDING = "sending"  #: the intent is committed; the request may be under way
    POSTPONED = "postponed"  #: certainly not sent; to be tried again at a moment
    ACCEPTED = "accepted"  #: the gateway took it and gave an id
    REJECTED = "rejected"  #: the gateway refused it for this person
    IN_DOUBT = "in_doubt"  #: it may have been sent; never resent by itself
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"  #: accepted, and reported as failed later
    SUPPRESSED = "suppressed"  #: left out on purpose
    EXPIRED = "expired"  #: its time went by
    CANCELLED = "cancelled"  #: its campaign was cancelled before it was sent

    @property
    def is_open(self) -> bool:
        """Whether something remains to be done for it."""
        return self in OPEN


OPEN = frozenset({DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.POSTPONED})
#: The gateway took the message.
SENT = frozenset({DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED})


class Proof(StrEnum):
    """What a doubt was settled by."""

    HISTORY = "history"  #: the gateway's own memory of what it sent
    STATUS = "status"  #: a status report of the message
    INBOUND = "inbound"  #: an answer that quotes the message
    PERSON = "person"  #: somebody looked and said so
    ERASED = "erased"  #: nothing: its person was erased, and nobody can look any more


class CampaignState(StrEnum):
    """Where a campaign is."""

    PLANNING = "planning"  #: its recipients are being written; nothing is sent
    READY = "ready"  #: planned and not begun
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is sent whatever is planned."""
        return self in OVER


#: Ended by people or by a deadline.
OVER = frozenset({CampaignState.CANCELLED, CampaignState.EXPIRED})
