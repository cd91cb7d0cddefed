"""Who is on a suppression list, in which of their forms, since when and until when."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import delete, select

from tests.campaigns.ledger.book import KEY, at_once
from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.ledger import keys, numbers
from whatsapp_provider.campaigns.ledger.hearing import Heard
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import alias, setting, suppression
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.stop_words import StopWords, Word
from whatsapp_provider.errors import ConfigurationError, LedgerError, RecipientError
from whatsapp_provider.model import NumberCheck

ADA, BOB, EVE = number(1), number(2), number(3)
LID, OTHER_LID = "100000000000001@lid", "100000000000002@lid"
USER_ID = "US.13491208655302741918"
#: One person's number with and without the ninth digit.
NINTH, WITHOUT = "5511900000001", "551170000001@s.whatsapp.net"


@pytest.fixture
def ledger(desk: Desk) -> Ledger:
    return desk.ledger


def put(ledger: Ledger, *people: str, name: str = "opt_out", **options: Any) -> int:
    options = {"source": Source.PERSON, "by": "Ada", **options}
    return ledger.suppress([[person] for person in people], name, **options)


def on(ledger: Ledger, *people: str, lists: tuple[str, ...] | None = None) -> set[str]:
    return set(ledger.suppressed(people, lists))


def says(ledger: Ledger, sender: str, text: str, *aliases: str, sent_at: float | None = None) -> Heard:
    return ledger.record_inbound(KEY, sender=sender, text=text, sender_aliases=aliases, sent_at=sent_at)


def rows(ledger: Ledger, table: Any = suppression) -> Sequence[Any]:
    with ledger._database.transaction() as connection:
        return connection.execute(select(table)).all()


def test_who_is_on_a_list_is_told_with_the_list_and_why(ledger: Ledger) -> None:
    assert put(ledger, ADA, reason="asked on the phone") == 1
    assert put(ledger, BOB, name="press", source=Source.IMPORT) == 1
    assert ledger.suppressed([ADA, BOB, EVE]) == {
        ADA: "opt_out: added by a person",
        BOB: "press: imported",
    }
    assert [(one.name, one.recipient, one.reason, one.added_by) for one in ledger.suppressions()] == [
        ("opt_out", ADA, "asked on the phone", "Ada"),
        ("press", BOB, None, "Ada"),
    ]
    assert ledger.suppression_lists() == {"opt_out": 1, "press": 1}


def test_each_of_many_is_found_and_nobody_else(ledger: Ledger) -> None:
    """More than one statement holds, and a number of them that fills none."""
    assert put(ledger, *(number(index) for index in range(0, 1300, 2))) == 650
    assert on(ledger, *(number(index) for index in range(1300))) == {
        number(index) for index in range(0, 1300, 2)
    }
    assert on(ledger) == set()


def test_lists_count_as_they_are_named_and_opt_out_always(ledger: Ledger) -> None:
    put(ledger, ADA)
    put(ledger, BOB, name="press")
    put(ledger, EVE, name="trial")
    everybody = (ADA, BOB, EVE)
    assert on(ledger, *everybody) == set(everybody)
    assert on(ledger, *everybody, lists=("press",)) == {ADA, BOB}
    assert on(ledger, *everybody, lists=()) == {ADA}


def test_a_page_goes_on_after_the_one_before(ledger: Ledger) -> None:
    put(ledger, *(number(index) for index in range(5)))
    first = ledger.suppressions(limit=3)
    assert [one.recipient for one in first] == [number(0), number(1), number(2)]
    assert [one.recipient for one in ledger.suppressions(after=first[-1].id)] == [number(3), number(4)]
    assert ledger.suppressions("press") == []


def test_an_entry_ends_by_itself_and_a_longer_one_wins(desk: Desk, ledger: Ledger) -> None:
    now = desk.time.database()
    put(ledger, ADA, until=now + 60)
    put(ledger, BOB, until=now + 60)
    assert put(ledger, BOB, until=now + 600) == 0, "was on it"
    assert put(ledger, BOB, until=now + 6) == 0, "a shorter one takes nothing back"
    put(ledger, EVE)
    assert put(ledger, EVE, until=now + 60) == 0, "for ever is longest"
    desk.time.now += 61
    assert on(ledger, ADA, BOB, EVE) == {BOB, EVE}
    assert {one.recipient for one in ledger.suppressions()} == {BOB, EVE}
    assert {one.recipient for one in ledger.suppressions(ended=True)} == {ADA, BOB, EVE}
    assert put(ledger, ADA) == 1, "on it again"
    assert on(ledger, ADA) == {ADA}


def test_a_person_takes_people_off_and_the_entry_says_who(desk: Desk, ledger: Ledger) -> None:
    put(ledger, ADA, BOB)
    assert ledger.unsuppress([[ADA], [EVE]], by="Bob", note="signed up again") == 1
    assert on(ledger, ADA, BOB) == {BOB}
    desk.time.now += 1
    told = {one.recipient: one.reason for one in ledger.suppressions(ended=True)}
    assert told == {ADA: "lifted by Bob: signed up again", BOB: None}
    assert ledger.unsuppress([[ADA]], by="Bob") == 0


@pytest.mark.parametrize("form", [LID, USER_ID, WITHOUT, f"{NINTH}:7@s.whatsapp.net", "+55 11 90000-0001"])
def test_a_stop_by_one_form_is_a_stop_by_all(ledger: Ledger, form: str) -> None:
    other = "5511970000001"  # what WITHOUT is with its ninth digit
    ledger.link([[NINTH, LID, USER_ID, other]], LearnedFrom.GATEWAY)
    heard = says(ledger, form, "Stop!")
    assert (heard.word, heard.changed) == (Word.STOP, True)
    assert on(ledger, NINTH, other, LID, USER_ID, ADA) == {NINTH, other, LID, USER_ID}
    assert ledger.suppressed([LID]) == {LID: "opt_out: asked to stop"}
    assert not says(ledger, form, "STOP").changed


def test_what_is_learned_later_is_on_the_list_too(ledger: Ledger) -> None:
    says(ledger, LID, "PARAR")
    assert on(ledger, ADA, LID, USER_ID) == {LID}
    says(ledger, LID, "who is this?", USER_ID)
    assert on(ledger, ADA, LID, USER_ID) == {LID, USER_ID}, "an id by another, no number known"
    ledger.link([[ADA, USER_ID]], LearnedFrom.AUDIENCE)
    assert on(ledger, ADA, LID, USER_ID) == {ADA, LID, USER_ID}
    ledger.link([[ADA, OTHER_LID], [BOB, "100000000000003@lid"]], LearnedFrom.AUDIENCE)
    assert on(ledger, ADA, BOB, OTHER_LID) == {ADA, OTHER_LID}


def test_an_id_belongs_to_the_number_that_was_named_last(ledger: Ledger) -> None:
    """Who changes their number keeps their id, and their stop goes with it."""
    ledger.link([[ADA, LID]], LearnedFrom.AUDIENCE)
    says(ledger, ADA, "STOP")
    ledger.link([[BOB, LID]], LearnedFrom.GATEWAY)
    assert on(ledger, ADA, BOB, LID) == {ADA, BOB, LID}
    assert {(row.alias, row.recipient) for row in rows(ledger, alias)} == {(LID, BOB)}
    says(ledger, BOB, "START")
    assert on(ledger, ADA, BOB, LID) == {ADA}, "whoever has the old number now said nothing"


def test_two_numbers_are_one_person_only_by_being_named_together(ledger: Ledger) -> None:
    ledger.link([[ADA, LID], [BOB, OTHER_LID]], LearnedFrom.AUDIENCE)
    says(ledger, LID, "STOP", OTHER_LID)
    assert on(ledger, ADA, BOB) == {ADA, BOB}, "both ids wrote it"
    assert {(row.alias, row.recipient) for row in rows(ledger, alias)} == {(LID, ADA), (OTHER_LID, BOB)}
    ledger.link([[EVE, ADA]], LearnedFrom.GATEWAY)
    assert on(ledger, EVE) == {EVE}


def test_a_start_word_lifts_what_a_stop_word_did_and_nothing_else(ledger: Ledger) -> None:
    says(ledger, ADA, "STOP", LID)
    put(ledger, BOB)
    says(ledger, BOB, "STOP")
    put(ledger, ADA, name="press")
    heard = says(ledger, LID, "start")
    assert (heard.word, heard.changed) == (Word.START, True)
    assert ledger.suppressed([ADA, LID]) == {ADA: "press: added by a person", LID: "press: added by a person"}
    assert not says(ledger, BOB, "START").changed
    assert on(ledger, BOB) == {BOB}, "a person put him there, too"
    says(ledger, ADA, "STOP")
    put(ledger, ADA)
    says(ledger, ADA, "START")
    assert on(ledger, ADA, LID, lists=()) == {ADA, LID}, "whichever came first"


def test_words_count_by_when_they_were_written(desk: Desk, ledger: Ledger) -> None:
    """Gateways tell of messages late, twice and in any order."""
    now = desk.time.database()
    desk.time.now += 100
    says(ledger, ADA, "STOP", sent_at=now + 20)
    assert not says(ledger, ADA, "START", sent_at=now + 10).changed, "came before the stop"
    assert not says(ledger, ADA, "START", sent_at=now + 20).changed, "nobody knows which came first"
    assert not says(ledger, ADA, "STOP", sent_at=now + 40).changed, "stopped as before"
    assert not says(ledger, ADA, "START", sent_at=now + 30).changed, "came before the second stop"
    assert says(ledger, ADA, "START", sent_at=now + 50).changed
    assert not says(ledger, ADA, "STOP", sent_at=now + 40).changed, "told again, after the start"
    assert on(ledger, ADA) == set()
    assert says(ledger, ADA, "STOP", sent_at=now + 60).changed
    assert on(ledger, ADA) == {ADA}


def test_a_message_that_is_no_word_changes_nothing(ledger: Ledger) -> None:
    heard = says(ledger, ADA, "please stop by tomorrow")
    assert (heard.word, heard.changed) == (None, False)
    own = StopWords.of(stop=["basta"], start=[])
    assert ledger.record_inbound(KEY, sender=ADA, text="stop", words=own).word is None
    assert ledger.record_inbound(KEY, sender=ADA, text="Basta.", words=own).word is Word.STOP
    assert ledger.record_inbound(KEY, text="stop").word is None, "nobody's"
    assert on(ledger, ADA) == {ADA}


@pytest.mark.parametrize("sender", ["120363000000000000@g.us", "nobody", "US.", "us.134", "+1 555"])
def test_a_sender_that_is_no_person_is_refused_with_the_number_masked(ledger: Ledger, sender: str) -> None:
    with pytest.raises(RecipientError) as raised:
        says(ledger, sender, "STOP")
    assert "0363000000" not in str(raised.value)


def test_an_erased_person_stays_on_the_list_and_leaves_no_number(ledger: Ledger) -> None:
    says(ledger, ADA, "STOP", LID)
    put(ledger, ADA, source=Source.ERASED)
    assert ledger.suppressed([ADA, LID]) == {ADA: "opt_out: erased", LID: "opt_out: erased"}
    assert [one.recipient for one in ledger.suppressions()] == [None, None]
    put(ledger, ADA, source=Source.IMPORT)
    assert [one.recipient for one in ledger.suppressions()] == [None, None]


def test_a_hash_is_of_no_use_without_the_ledgers_key(
    desk: Desk, ledger: Ledger, open_ledger: Callable[..., Ledger]
) -> None:
    put(ledger, ADA)
    (row,) = rows(ledger)
    assert len(row.person) == 64
    assert ADA not in row.person
    with open_ledger()._database.transaction() as connection:
        assert row.person == keys.hashed(keys.key_of(connection), ADA)
        connection.execute(delete(setting))
    with pytest.raises(LedgerError, match="lost the key"):
        open_ledger().suppressed([ADA])


def test_processes_that_meet_a_new_ledger_have_one_key(open_ledger: Callable[..., Ledger]) -> None:
    def work(person: str) -> Callable[[], int]:
        return lambda: put(open_ledger(), person)

    at_once(*(work(number(index)) for index in range(4)))
    fresh = open_ledger()
    assert len(rows(fresh, setting)) == 1
    assert on(fresh, *(number(index) for index in range(4))) == {number(index) for index in range(4)}


def test_a_stop_and_a_link_at_one_moment_leave_no_form_out(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    ledger.prepare()
    for index in range(20):
        lid = f"2000000000000{index:02d}@lid"
        at_once(
            lambda lid=lid: says(ledger, lid, "STOP"),  # type: ignore[misc]  # mypy can't see a lambda's default
            lambda lid=lid, index=index: ledger.link([[number(index), lid]], LearnedFrom.AUDIENCE),  # type: ignore[misc]  # as above
        )
        assert on(ledger, number(index), lid) == {number(index), lid}


def test_the_same_people_may_be_put_on_a_list_by_many_at_once(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    people = [number(index) for index in range(50)]
    done = at_once(*(lambda: put(ledger, *people) for _ in range(4)))
    assert sum(done) == 50, "each is new to one of them"
    assert len(rows(ledger)) == 50


def test_a_gateways_answers_may_come_from_many_at_once(open_ledger: Callable[..., Ledger]) -> None:
    ledger = open_ledger()
    people = [number(index) for index in range(20)]
    checks = {
        each: NumberCheck(each, exists=True, chat_id=f"{each}@c.us", hidden_id=f"9{each}@lid")
        for each in people
    }
    at_once(*(lambda: ledger.keep_checks("whapi", checks) for _ in range(4)))
    ledger.keep_checks("whapi", {ADA: NumberCheck(ADA, exists=False)})
    with ledger._database.transaction() as connection:
        known = numbers.known(connection, "whapi", [*people, "15559999999"], 0.0)
    assert {each for each in known if known[each].on_whatsapp} == set(people) - {ADA}
    assert len(rows(ledger, alias)) == 20


def test_a_change_is_somebodys_and_a_list_has_a_name(desk: Desk, ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="say who"):
        put(ledger, ADA, by=" ")
    with pytest.raises(ConfigurationError, match="say who"):
        ledger.unsuppress([[ADA]], by="")
    for name in ("", "x" * 65):
        with pytest.raises(ConfigurationError, match="1 to 64 characters"):
            put(ledger, ADA, name=name)
    with pytest.raises(ConfigurationError, match="in the past"):
        put(ledger, ADA, until=time.time() - 1e9)
