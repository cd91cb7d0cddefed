"""What a campaign was planned with, as the ledger keeps it: what was checked and approved is what is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import Rules
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import ChannelRef

Source = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A channel that a campaign goes through, and the Airflow connection that reaches it.

    :param key: the channel's name in the ledger.
    :param weight: how many of the people whom no channel knows it gets, beside the other channels' weights.
    """

    conn_id: str
    channel: ChannelRef
    key: str
    weight: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return {
            "conn_id": self.conn_id,
            "channel": self.channel.to_dict(),
            "key": self.key,
            "weight": self.weight,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        channel, weight = ChannelRef.from_dict(value["channel"]), float(value.get("weight", 1))
        return cls(value["conn_id"], channel, value["key"], weight)


@dataclass(frozen=True, slots=True)
class Terms:
    """The message and what it is sent by.

    :param message: the message as its author wrote it.
    :param shared: the values that every message sees.
    :param failover: whether what a broken channel has not sent goes through another one.
    """

    message: Source
    pace: Pace
    rules: Rules
    routes: Sequence[Route]
    shared: Mapping[str, Any]
    failover: bool = True

    def columns(self) -> dict[str, Any]:
        """Return what the campaign's row keeps of it; the shared values have a column of their own already.

        :raises ConfigurationError: if the message is not one that JSON can keep.
        """
        try:
            message = json.dumps(self.message, sort_keys=True)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"The message can't be kept in the ledger ({error}): give text, numbers, lists and mappings, and a "
                "file by its path or URL."
            ) from None
        kept = {
            "pace": self.pace.to_dict(),
            "rules": json.loads(self.rules.to_json()),
            "routes": [route.to_dict() for route in self.routes],
            "failover": self.failover,
        }
        return {"message": message, "rules": json.dumps(kept, sort_keys=True)}

    @classmethod
    def read(cls, message: str | None, rules: str | None, shared: str | None) -> Self | None:
        """Return what :meth:`columns` wrote, ``None`` where a campaign was planned without."""
        if message is None or rules is None:
            return None
        kept = json.loads(rules)
        return cls(
            message=json.loads(message),
            pace=Pace.from_dict(kept["pace"]),
            rules=Rules.from_json(json.dumps(kept["rules"])),
            routes=tuple(Route.from_dict(route) for route in kept["routes"]),
            shared=json.loads(shared or "{}"),
            failover=bool(kept["failover"]),
        )
