"""What the phones got, held against what the tool says: the arithmetic, without a process."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Verdict:
    """Of one run.

    :param twice: people who got the message more than once.
    :param most: messages that one person got, at most.
    :param lost: people who got nothing, though the tool says that it sent to them.
    :param in_doubt: people of whom the tool says that it does not know.
    :param unaccounted: people who got nothing, and of whom the tool says neither: it never came to them, or its
        task failed.
    """

    recipients: int
    received: int
    twice: int
    most: int
    lost: int
    in_doubt: int
    unaccounted: int

    def to_dict(self) -> dict[str, int]:
        """Return it as plain data."""
        return asdict(self)


def judge(
    recipients: Collection[str],
    received: Mapping[str, int],
    sent: Collection[str],
    in_doubt: Collection[str] = (),
) -> Verdict:
    """Return the verdict.

    :param received: messages by phone, by the truth log.
    :param sent: to whom the tool says that it sent.
    :raises ValueError: if somebody is named who is no recipient: then the measurement itself is wrong.
    """
    everybody, told, doubted = set(recipients), set(sent), set(in_doubt)
    strangers = (received.keys() | told | doubted) - everybody
    if strangers:
        raise ValueError(f"{len(strangers)} people are no recipients of this run.")
    reached = {phone for phone, count in received.items() if count}
    return Verdict(
        recipients=len(everybody),
        received=len(reached),
        twice=sum(count > 1 for count in received.values()),
        most=max(received.values(), default=0),
        lost=len(told - reached),
        in_doubt=len(doubted),
        unaccounted=len(everybody - reached - told - doubted),
    )
