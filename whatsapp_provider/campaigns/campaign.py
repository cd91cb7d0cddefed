"""A campaign as it is asked for: whom to send what, from where, how fast."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import NO_RULES, Rules
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import ChannelRef

MAX_ID = 200  #: characters that the ledger keeps
SEVERAL = "several"  #: stands for the gateway in the name of several channels
#: How the ids of single messages begin, each of which is a campaign of one.
SINGLE = "message/"


class OnInDoubt(StrEnum):
    """What to do with a message that may or may not have been sent."""

    RECONCILE = "reconcile"  #: look it up in the gateway's history where there is one, else hold
    HOLD = "hold"  #: list it and leave it
    RESEND = "resend"  #: send it again: at least once


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a run is to bring about.

    :param campaign_id: the same id means the same campaign, and running it again resumes it.
    :param channel: where it is sent from; any of them where it goes over several.
    :param channel_scope: what the channel's id is unique within, where that isn't its whole gateway.
    :param pool: the names in the ledger of all channels that it goes over, where there are several.
    :param rules: what each send must keep besides the pace.
    :param concurrency: sends under way at once; after a crash at most so many are in doubt.
    """

    campaign_id: str
    channel: ChannelRef
    pace: Pace = field(default_factory=Pace.cautious)
    concurrency: int = 5
    on_in_doubt: OnInDoubt = OnInDoubt.RECONCILE
    channel_scope: str = ""
    rules: Rules = NO_RULES
    pool: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.campaign_id.strip():
            raise ConfigurationError("campaign_id is empty; leave it out for one campaign a DAG run.")
        if not 1 <= self.concurrency <= 1000:
            raise ConfigurationError(f"concurrency must be between 1 and 1000, not {self.concurrency}.")
        if len(set(self.pool)) != len(self.pool):
            raise ConfigurationError("A campaign goes over each of its channels once; one is named twice.")

    @property
    def ledger_id(self) -> str:
        """The id as the ledger keeps it."""
        return ledger_id(self.campaign_id)

    @property
    def channel_key(self) -> str:
        """The channel's name in the ledger, under which its sends are counted.

        Several channels have one name together, by which their campaign is known again; each counts by its own.
        """
        if len(self.pool) > 1:
            digest = hashlib.sha256("\n".join(sorted(self.pool)).encode()).hexdigest()
            return f"{SEVERAL}/{digest[:16]}"
        return self.channel.key(self.channel_scope)

    @property
    def channel_keys(self) -> tuple[str, ...]:
        """The names in the ledger of all channels that it goes over, sorted."""
        return tuple(sorted(self.pool)) if len(self.pool) > 1 else (self.channel_key,)


def ledger_id(campaign_id: str) -> str:
    """Return the id as the ledger keeps it: long ones end in their hash."""
    if len(campaign_id) <= MAX_ID:
        return campaign_id
    digest = hashlib.sha256(campaign_id.encode()).hexdigest()[:16]
    return f"{campaign_id[: MAX_ID - 17]}#{digest}"


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a campaign keeps of its template, so that a wait of weeks ends with what it began with.

    :param template: the hash of the text as its author wrote it.
    :param shared: the values that every message sees, as JSON.
    """

    template: str
    shared: str = "{}"

    @classmethod
    def of(cls, template: str, shared: Mapping[str, Any] | None = None) -> Frozen:
        """Freeze a template's text and values; what JSON does not know is kept as text."""
        return cls(
            hashlib.sha256(template.encode()).hexdigest(),
            json.dumps(dict(shared or {}), default=str, sort_keys=True),
        )

    def values(self) -> dict[str, Any]:
        """Return the values as every rendering sees them, at once and after any wait."""
        return dict(json.loads(self.shared))


class Fingerprint:
    """The hash of a template and of an audience, fed person by person.

    The order of people does not count: a query without ORDER BY may give them in another one next time.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._people = 0
        self._sum = 0

    def add(self, key: str, variables: str) -> None:
        """Add one person."""
        digest = hashlib.sha256(f"{key}\x00{variables}".encode()).digest()
        self._people += 1
        self._sum = (self._sum + int.from_bytes(digest)) % 2**256

    def hexdigest(self) -> str:
        """Return the hash of all so far."""
        return hashlib.sha256(f"{self._people} {self._sum:064x} {self._template}".encode()).hexdigest()
