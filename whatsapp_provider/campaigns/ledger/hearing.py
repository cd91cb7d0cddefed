"""What people write back: an answer proves what it quotes, and a word of theirs ends our messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from whatsapp_provider.campaigns.identity import parse_form
from whatsapp_provider.campaigns.ledger import news, spreading
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.news import Recorded, Seen
from whatsapp_provider.campaigns.ledger.spreading import Entry
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.campaigns.ledger.suppression import OPT_OUT, Source
from whatsapp_provider.campaigns.stop_words import USUAL, StopWords, Word


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a message that somebody wrote.

    :param quote: what it changed of the message of ours that it quotes.
    :param word: what its writer asks for, if that is all that it says.
    :param changed: whether the suppression list is another now: their word may have been heard before, come late,
        or not be enough, as where a person put them on the list.
    """

    quote: Recorded = Recorded.UNKNOWN
    word: Word | None = None
    changed: bool = False


class Hearing(Store):
    """Takes in what people write."""

    @again_after_deadlock
    def record_inbound(
        self,
        channel: str,
        *,
        quoted_id: str | None = None,
        quoted: Seen | None = None,
        sender: str | None = None,
        sender_aliases: Sequence[str] = (),
        text: str | None = None,
        sent_at: float | None = None,
        words: StopWords = USUAL,
    ) -> Heard:
        """Record a message that somebody wrote; may be told again, late, in any order. The text is not kept.

        :param channel: the name in the ledger of the channel that got it (``ChannelRef.key``).
        :param quoted_id: the id of the message of ours that is quoted: who quotes it has read it.
        :param quoted: that message, where the answer shows it.
        :param sender: who wrote it, in any form: a number, a JID, a LID, a user id of Meta's.
        :param sender_aliases: other forms of theirs that the gateway tells. All are taken for one person from now on.
        :param text: what they wrote. A STOP word that is all of it puts them on the list ``opt_out``, in all their
            forms; a START word takes them off it, if such a word put them there.
        :param sent_at: when, in seconds since the epoch, by which a word that comes late or twice is known.
        :param words: the words that count.
        :raises RecipientError: if a form of the sender's is none.
        """
        self.prepare()
        forms = list(dict.fromkeys(parse_form(form) for form in (sender, *sender_aliases) if form))
        word = words.meant_by(text) if forms else None
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            # First, as it locks deliveries, which come before the suppression list.
            quote = news.record_inbound(connection, channel, quoted_id, quoted, now)
            spreading.link(connection, [forms], LearnedFrom.INBOUND, now)
            said = _Said(forms, channel, now if sent_at is None else min(sent_at, now), sent_at is not None)
            changed = word is not None and _HEED[word](connection, said)
        return Heard(quote, word, changed)


@dataclass(frozen=True, slots=True)
class _Said:
    """A word: whose, where, when, and whether that moment is known."""

    forms: Sequence[str]
    channel: str
    at: float
    dated: bool


def _stop(connection: Connection, said: _Said) -> bool:
    if said.dated and spreading.taken_back_since(connection, said.forms, OPT_OUT, said.at):
        return False
    return (
        spreading.suppress(connection, [said.forms], Entry(OPT_OUT, Source.STOP, said.channel, said.at)) > 0
    )


def _start(connection: Connection, said: _Said) -> bool:
    words = f"lifted by a word of theirs on {said.channel}"
    before = said.at if said.dated else math.inf
    return (
        spreading.lift(connection, [said.forms], OPT_OUT, words, said.at, only=Source.STOP, before=before) > 0
    )


_HEED = {Word.STOP: _stop, Word.START: _start}
