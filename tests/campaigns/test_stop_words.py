"""A word is a word when it is the whole message, however it is written."""

from __future__ import annotations

import pytest

from whatsapp_provider.campaigns.stop_words import START_WORDS, STOP_WORDS, USUAL, StopWords, Word, plain


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "*STOP*",
        "STOP!!!",
        "«stop»",
        "Stóp",
        "Unsubscribe",
        "opt-out",
        "Opt Out",
        "Stop promotions",
        "PARAR",
        "Sair",
        "cancelar",
        "não quero mais",
        "NAO QUERO MAIS",
        "Baja",
        "Darme de baja",
        "ALTO",
        "Stopp",
        "Abmelden",
        "ARRÊT",
        "arret",
        "Désabonner",
        "ferma",
        "стоп",
        "СТОП.",
        "STOP\u200d",
        "قف",
        "बंद करें",
        "退订",
        "\uff33\uff34\uff2f\uff30",
        "🛑 stop 🛑",
    ],
)
def test_these_are_stop_words(text: str) -> None:
    assert USUAL.meant_by(text) is Word.STOP


@pytest.mark.parametrize("text", ["START", "start!", "Unstop", "voltar", "Começar", "comecar", "старт"])
def test_these_are_start_words(text: str) -> None:
    assert USUAL.meant_by(text) is Word.START


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "   ",
        "!!!",
        "🛑",
        "please stop by tomorrow",
        "don't stop",
        "stop it, I love it",
        "non-stop",
        "stopover",
        "s t o p",
        "Can I cancel my order?",
        "não quero parar",
        "bus stop",
        "yes",
        "STOP " * 20,
        "stop" + " " * 100,
    ],
)
def test_a_word_within_a_message_is_none(text: str | None) -> None:
    assert USUAL.meant_by(text) is None


def test_every_word_of_the_tables_is_one() -> None:
    assert all(USUAL.meant_by(word) is Word.STOP for word in STOP_WORDS)
    assert all(USUAL.meant_by(word) is Word.START for word in START_WORDS)


def test_words_can_be_chosen_and_stop_wins() -> None:
    words = StopWords.of(stop=["Basta!", "…"], start=["basta", "Dale"])
    assert words.meant_by("BASTA") is Word.STOP
    assert words.meant_by("dale.") is Word.START
    assert words.meant_by("stop") is None
    assert words.meant_by("…") is None, "marks alone are no word"


def test_accents_go_and_other_scripts_stay() -> None:
    assert plain("  Não,  QUERO\tmais! ") == "nao quero mais"
    assert plain("बंद करें") == plain("बंद  करें!")
    assert plain("बंद करें") != plain("बद कर"), "vowel signs are letters there"
