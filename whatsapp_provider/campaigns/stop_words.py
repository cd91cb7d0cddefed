"""Words by which people say that they want no more messages, or want them again.

A word counts when it is the whole message: "stop" is an answer to us, "please stop by tomorrow" is one to somebody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 60  #: characters of a message that can be such a word

#: Danish, Dutch, English, French, German, Indonesian, Italian, Norwegian, Polish, Portuguese, Romanian, Russian,
#: Spanish, Swedish, Turkish, Ukrainian; Arabic, Hebrew, Hindi; Chinese, Japanese, Korean. Written as people write them.
STOP_WORDS = (
    *(
        "stop",
        "stop all",
        "stopall",
        "stop promotions",
        "stop messages",
        "unsubscribe",
        "opt out",
        "opt-out",
        "optout",
    ),
    *("cancel", "end", "quit", "revoke", "remove me", "no more"),
    *("parar", "pare", "sair", "cancelar", "descadastrar", "remover", "não quero mais", "parar promoções"),
    *("baja", "alto", "darme de baja", "no más", "detener", "parar mensajes", "detener promociones"),
    *(
        "stopp",
        "stoppen",
        "abmelden",
        "abbestellen",
        "arrêt",
        "arrêter",
        "arret",
        "désabonner",
        "désinscription",
    ),
    *(
        "ferma",
        "annulla",
        "cancellami",
        "disiscrivimi",
        "afmelden",
        "uitschrijven",
        "afmeld",
        "avmeld",
        "avsluta",
    ),
    *("wypisz", "rezygnuję", "dezabonare", "berhenti", "iptal", "dur", "durdur"),
    *("стоп", "отписаться", "отписка", "відписатися", "قف", "توقف", "إلغاء", "הסר", "עצור", "रोकें", "बंद करें"),
    *("退订", "停止", "配信停止", "取消", "수신거부", "중지"),
)
START_WORDS = (
    *(
        "start",
        "unstop",
        "subscribe",
        "opt in",
        "opt-in",
        "optin",
        "resume",
        "start messages",
        "start promotions",
    ),
    *("começar", "iniciar", "voltar", "quero receber", "alta", "darme de alta", "reanudar", "suscribirme"),
    *(
        "starten",
        "anmelden",
        "démarrer",
        "reprendre",
        "riprendi",
        "iscrivimi",
        "aanmelden",
        "старт",
        "подписаться",
    ),
    *("订阅", "開始", "수신동의", "ابدأ", "начать", "başlat", "mulai", "התחל", "शुरू करें"),
)


class Word(StrEnum):
    """What somebody asks for."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True)
class StopWords:
    """The words that count, in whatever case, with or without accents and marks around them.

    A word that is in both means stop.

    :param stop: words that end messages.
    :param start: words that let them begin again.
    """

    stop: frozenset[str]
    start: frozenset[str]

    @classmethod
    def of(cls, stop: Iterable[str] = STOP_WORDS, start: Iterable[str] = START_WORDS) -> StopWords:
        """Return them, each as it is compared; what is nothing but marks is no word."""
        return cls(*(frozenset(filter(None, map(plain, words))) for words in (stop, start)))

    def meant_by(self, text: str | None) -> Word | None:
        """Return what a message asks for, ``None`` where it is another one."""
        if not text or len(text) > LONGEST:
            return None
        word = plain(text)
        if word in self.stop:
            return Word.STOP
        return Word.START if word in self.start else None


def plain(text: str) -> str:
    """Return a text without case, accents and marks, its words one blank apart."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    # Letters and digits stay, and of marks above letters those without which words of India and Arabia are others.
    kept = (character if _is_kept(character) else " " for character in parted if not _is_accent(character))
    return " ".join("".join(kept).split())


def _is_accent(character: str) -> bool:
    return unicodedata.combining(character) != 0 and character < "\u0590"


def _is_kept(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


#: The words as they are without any setting.
USUAL = StopWords.of()
