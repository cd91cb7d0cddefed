"""Who got what: the phones' truth against the ledger's word, person by person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from whatsapp_provider.campaigns.ledger.states import SENT, DeliveryState


@dataclass(frozen=True, slots=True)
class Verdict:
    """The people of one campaign with whom something is wrong, by what it is.

    :param twice: their phone got the message more often than once.
    :param lost: nobody would find out that they got nothing: the ledger says that they did, or has never
        heard of them.
    :param unsettled: still in doubt, which is wrong where the gateway has a history to settle it by.
    :param misstated: their phone has the message, and the ledger says that it was not sent.
    :param unreached: they got nothing and the ledger says so, though the campaign ended and no fault refuses
        a person.
    """

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    misstated: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)

    def wrongs(self, *, may_hold: bool = False) -> dict[str, list[str]]:
        """Return what is wrong, with the people.

        :param may_hold: whether doubts may stay: without a history they are held and listed.
        """
        kinds = ("twice", "lost", "misstated", "unreached", *(() if may_hold else ("unsettled",)))
        return {kind: people for kind in kinds if (people := getattr(self, kind))}


def judge(
    audience: Iterable[str], states: Mapping[str, DeliveryState], received: Mapping[str, int]
) -> Verdict:
    """Judge one campaign that has ended.

    :param audience: everybody who is to get the message.
    :param states: what the ledger says of each.
    :param received: how often each phone got the campaign's message.
    """
    verdict = Verdict(twice=sorted(phone for phone, times in received.items() if times > 1))
    everybody = set(audience)
    for person in sorted(everybody | states.keys() | received.keys()):
        state = states.get(person) if person in everybody else None
        got_it = received.get(person, 0) > 0
        if state is DeliveryState.IN_DOUBT:
            verdict.unsettled.append(person)
        elif state in SENT:
            if not got_it:
                verdict.lost.append(person)
        elif got_it:
            verdict.misstated.append(person)
        elif state is None:
            verdict.lost.append(person)
        else:
            verdict.unreached.append(person)
    return verdict
