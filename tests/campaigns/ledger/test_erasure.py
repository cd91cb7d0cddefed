"""Nothing remains of an erased person but keyed hashes: in every column, and in every byte of the SQLite file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.engine import make_url

from tests.campaigns.ledger.traces import (
    ADA,
    BOB,
    LID,
    NAME,
    USER_ID,
    Files,
    deliveries,
    entries,
    found,
    texts,
    traces,
    wamid,
)
from tests.campaigns.support import CHANNEL, Desk, entry, number
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.identity import parse_form
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.erased import PREFIX
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.news import Recorded, Seen
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import Planned, Result
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.screening import screens_of
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.campaigns.ledger.suppression import Source
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.rules import Rules
from whatsapp_provider.errors import ConfigurationError, LedgerUnavailableError
from whatsapp_provider.model import MessageStatus

PACE = Pace.unlimited()
#: Where the statements are the same for all databases, or it is about the file.
on_a_file = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def ledger(desk: Desk) -> Ledger:
    return desk.ledger


@pytest.fixture
def files(desk: Desk) -> Files:
    files = Files(desk)
    files.fill()
    return files


def test_nothing_of_the_person_is_left_in_any_column(files: Files) -> None:
    ledger = files.ledger
    places = {place for place, _ in found(ledger)}
    assert places >= {
        *(f"wa_delivery.{name}" for name in ("recipient", "address", "variables", "message_id", "reason")),
        *(f"wa_campaign.{name}" for name in ("preflight", "message", "shared")),
        *("wa_settlement.note", "wa_control.note", "wa_suppression.recipient", "wa_suppression.reason"),
        *("wa_alias.alias", "wa_alias.recipient", "wa_number.recipient", "wa_number.address"),
    }
    bobs = {at: row for at, row in deliveries(ledger).items() if at[1] == BOB}
    erasure = ledger.erase(ADA, by="Eve")
    assert found(ledger) == set()
    assert (erasure.deliveries, erasure.not_sent, erasure.doubts) == (6, 1, 1)
    assert (erasure.links, erasure.checks, erasure.notes, erasure.named_by) == (2, 1, 1, 0)
    # Of others everything is there.
    assert {at: row for at, row in deliveries(ledger).items() if at[1] == BOB} == bobs


@on_a_file
def test_the_counts_of_campaigns_stay_and_doubts_end(files: Files) -> None:
    ledger = files.ledger
    before = {name: ledger.counts(_record(ledger, name)).total for name in ("spring", "summer", "autumn")}
    ledger.erase(ADA, by="Eve")
    rows = {name: row for (name, to), row in deliveries(ledger).items() if to.startswith(PREFIX)}
    assert {name: (row.state, row.code) for name, row in rows.items()} == {
        "spring": ("accepted", None),
        "summer": ("rejected", "131026"),
        "autumn": ("suppressed", "ReadTimeout"),
        "may": ("accepted", None),
        "winter": ("suppressed", "erased"),
        "message/order-1": ("accepted", None),
    }
    assert len({row.recipient for row in rows.values()}) == 1, "one person is one hash"
    assert before == {name: ledger.counts(_record(ledger, name)).total for name in before}
    assert ledger.settlements(_record(ledger, "autumn")) == {(Proof.ERASED, DeliveryState.SUPPRESSED): 1}
    assert ledger.in_doubt() == []


def _record(ledger: Ledger, name: str) -> Any:
    record = ledger.find(name)
    assert record is not None
    return record


@on_a_file
@pytest.mark.parametrize("written", ["+55 11 90000-0001", f"{ADA}:12@s.whatsapp.net", LID, USER_ID])
def test_any_form_of_the_person_means_all_of_them(files: Files, written: str) -> None:
    files.ledger.erase(parse_form(written), by="Eve")
    assert found(files.ledger) == set()


@on_a_file
def test_they_are_not_written_to_again_by_any_form(files: Files) -> None:
    ledger = files.ledger
    ledger.erase(ADA, by="Eve")
    assert set(ledger.suppressed([ADA, LID, USER_ID, BOB])) == {ADA, LID, USER_ID}
    # An import of an old list is no reason to write their number down again.
    ledger.suppress([[ADA]], "press", source=Source.IMPORT, by="Eve")
    ledger.suppress([[ADA]], source=Source.IMPORT, by="Eve")
    assert {row.recipient for row in entries(ledger) if row.list == "opt_out"} == {None}


@on_a_file
def test_a_form_that_is_learned_later_is_left_alone_too_and_not_written_down(files: Files) -> None:
    ledger = files.ledger
    ledger.erase(ADA, by="Eve")
    another = "100000000000003@lid"
    ledger.link([[ADA, another], [BOB, "100000000000004@lid"]], LearnedFrom.INBOUND)
    assert set(ledger.suppressed([ADA, another, BOB])) == {ADA, another}
    assert found(ledger) == set()
    assert not any(another in text for _, text in texts(ledger))
    assert ledger.disclose(BOB)["forms"][0]["form"] == "100000000000004@lid"


@on_a_file
def test_who_is_erased_without_being_suppressed_may_come_again(files: Files) -> None:
    ledger = files.ledger
    ledger.erase(ADA, by="Eve", suppress=False)
    assert found(ledger) == set()
    assert set(ledger.suppressed([ADA], ("opt_out",))) == set()
    files.run(files.plan("next spring"), DeliveryState.ACCEPTED, message_id=wamid(ADA))
    assert ledger.erase(ADA, by="Eve").deliveries == 1
    assert found(ledger) == set()


@on_a_file
def test_hashes_that_anybody_could_compute_are_gone(files: Files) -> None:
    """Who has the text may try all numbers there are; without the ledger's key that tells them nothing."""
    query = "SELECT fingerprint, template, body_hash FROM wa_campaign JOIN wa_delivery ON campaign = wa_campaign.id "
    with files.ledger._database.transaction() as connection:
        of_one = query + "WHERE campaign_id = 'message/order-1'"
        [hashes] = connection.exec_driver_sql(of_one).all()
    assert all(len(found) == 64 for found in hashes)
    files.ledger.erase(ADA, by="Eve")
    assert set(hashes).isdisjoint({text for _, text in texts(files.ledger)})


@on_a_file
def test_doing_it_again_finds_nothing_more(files: Files) -> None:
    files.ledger.erase(ADA, by="Eve")
    again = files.ledger.erase(ADA, by="Eve")
    assert (again.deliveries, again.links, again.checks, again.notes) == (0, 0, 0, 0)


def test_an_audience_that_has_them_still_writes_nothing_of_them_down(files: Files) -> None:
    ledger = files.ledger
    ledger.erase(ADA, by="Eve")
    rows = [{"phone": ADA, "name": NAME}, {"phone": BOB, "name": "Bob"}]
    record = make_plan(
        ledger,
        files.desk.campaign("next"),
        MessageTemplate("Hi {{ name }}", clock=files.desk.time),
        rows_of(rows, recipient_field="phone"),
        AudienceOptions(),
        order=Order(screens=screens_of(Rules(), "whapi")),
    ).record
    assert found(ledger) == set()
    assert ledger.left_out(record) == {"erased": 1}
    assert {to for name, to in deliveries(ledger) if name == "next"} == {BOB, *_stand_in(ledger)}
    # Further people are taken in, and who is in it by the hash is passed over.
    further = [Planned(ADA, ADA, "{}", None), entry(7)]
    assert ledger.extend("next", further, By("Eve")).deliveries == 1


def _stand_in(ledger: Ledger) -> set[str]:
    return {to for name, to in deliveries(ledger) if name == "spring" and to.startswith(PREFIX)}


# -- what is under way, and what comes late --------------------------------------------------------


def test_a_result_that_comes_after_the_erasure_brings_nothing_back(desk: Desk) -> None:
    files, ledger = Files(desk), desk.ledger
    becomes = {}
    for state in ("accepted", "rejected", "in_doubt", "postponed", "planned"):
        lease = ledger.begin(files.plan(state), label="", seconds=60)
        tasks = ledger.turn(lease, [], places=2, pace=PACE).tasks
        [task] = (task for task in tasks if task.recipient == ADA)
        assert ledger.erase(ADA, by="Eve", suppress=False).deliveries == 1
        told = (
            {"message_id": wamid(ADA)} if state == "accepted" else {"code": "x", "reason": f"{NAME}: {ADA}"}
        )
        result = Result(task, DeliveryState(state), not_before=0.0, **told)
        assert ledger.turn(lease, [result], places=2, pace=PACE).tasks == (), "nobody is there to be sent to"
        becomes |= {at: row.state for (at, to), row in deliveries(ledger).items() if to.startswith(PREFIX)}
    assert found(ledger) == set()
    assert becomes == {
        "accepted": "accepted",
        "rejected": "rejected",
        "in_doubt": "suppressed",
        "postponed": "suppressed",
        "planned": "suppressed",
    }


@on_a_file
def test_a_killed_run_leaves_no_doubt_about_somebody_who_is_not_known(desk: Desk) -> None:
    ledger, record = desk.ledger, Files(desk).plan("spring")
    lease = ledger.begin(record, label="", seconds=60)
    ledger.turn(lease, [], places=2, pace=PACE)
    ledger.erase(ADA, by="Eve")
    ledger.end(lease)
    assert [entry.recipient for _, entry in ledger.in_doubt()] == [BOB]


@on_a_file
def test_news_of_an_erased_persons_message_are_not_written_down(desk: Desk) -> None:
    ledger, record = desk.ledger, Files(desk).plan("spring")
    lease = ledger.begin(record, label="", seconds=60)
    ledger.turn(lease, [], places=2, pace=PACE)
    ledger.erase(ADA, by="Eve")
    seen = Seen(recipient=ADA, kind="text", text=f"Hi {NAME}")
    told = ledger.record_status(CHANNEL.key(), wamid(ADA), MessageStatus.DELIVERED, seen)
    assert told is Recorded.UNKNOWN
    assert found(ledger) == set()


@on_a_file
def test_a_campaign_goes_on_without_them_and_is_known_again(desk: Desk) -> None:
    files = Files(desk)
    files.ledger.erase(number(9), by="Eve")
    record = files.plan("spring")
    files.ledger.erase(ADA, by="Eve", suppress=False)
    desk.run(files.plan("spring"))
    assert desk.phones.calls == [BOB]
    assert desk.counts(record) == {"accepted": 1, "suppressed": 1}


@on_a_file
def test_asking_for_all_that_failed_does_not_bring_them_back(desk: Desk) -> None:
    files = Files(desk)
    record = files.plan("spring")
    files.run(record, DeliveryState.REJECTED)
    files.ledger.erase(ADA, by="Eve", suppress=False)
    desk.run(record, again=(DeliveryState.REJECTED,))
    assert desk.phones.calls == []
    assert desk.counts(record) == {"accepted": 1, "suppressed": 1}


def test_who_came_back_into_the_same_campaign_is_erased_again(desk: Desk) -> None:
    files = Files(desk)
    record = files.plan("spring")
    for _ in range(2):
        files.ledger.erase(ADA, by="Eve", suppress=False)
        with files.ledger._database.transaction() as connection:
            person = {"campaign": record.id, "recipient": ADA, "address": ADA, "variables": "{}"}
            times = {"seq": 9, "state": "planned", "attempt": 0, "postponed": 0, "updated_at": 0}
            connection.execute(insert(delivery).values(**person, **times))
    files.ledger.erase(ADA, by="Eve")
    assert found(files.ledger) == set()


@on_a_file
def test_a_number_in_a_campaigns_id_is_told_and_stays(desk: Desk) -> None:
    desk.plan(1, desk.campaign(f"message/{ADA}"))
    assert desk.ledger.erase(ADA, by="Eve").named_by == 1


@on_a_file
def test_an_erasure_is_somebodys(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="by whom"):
        ledger.erase(ADA, by=" ")


# -- bytes ----------------------------------------------------------------------------------------


@pytest.fixture
def file(url: str) -> Path:
    return Path(make_url(url).database or "")


def bytes_of(file: Path) -> bytes:
    return b"".join(part.read_bytes() for part in sorted(file.parent.iterdir()))


@on_a_file
def test_not_one_byte_is_left_in_the_file_or_beside_it(
    desk: Desk, file: Path, open_ledger: Callable[..., Ledger]
) -> None:
    other = open_ledger()
    for ledger in (desk.ledger, other):
        # As SQLite comes from most who build it; Debian's clears what is deleted by itself.
        event.listen(
            ledger._database.engine, "connect", lambda one, _: one.execute("PRAGMA secure_delete=OFF")
        )
    files = Files(desk)
    files.fill()
    # Rows that grow and move leave copies of themselves in the gaps of their pages.
    for index in range(6):
        many = [{"phone": number(10 + one), "name": f"N{one}"} for one in range(60)]
        desk.run(desk.plan_rows([*many, {"phone": ADA, "name": NAME}], desk.campaign(f"c{index}")))
    assert other.find("spring") is not None
    before = bytes_of(file)
    assert {trace for trace in traces() if trace.encode() in before} >= {ADA, NAME}
    desk.ledger.erase(ADA, by="Eve")
    after = bytes_of(file)
    assert number(10).encode() in after
    assert [trace for trace in traces() if trace.encode() in after] == []


@on_a_file
def test_a_file_that_is_being_read_is_told_and_the_next_time_it_is_clean(
    files: Files, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.ledger.dispose()
    monkeypatch.setattr("whatsapp_provider.campaigns.ledger.engines.BUSY_SECONDS", 0.05)
    ledger = Ledger(files.ledger._database._url)
    reader = sqlite3.connect(file, isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM wa_delivery").fetchone()
        with pytest.raises(LedgerUnavailableError, match="Do the same again") as told:
            ledger.erase(ADA, by="Eve")
    finally:
        reader.close()
    assert ADA not in str(told.value)
    assert found(ledger) == set()
    ledger.erase(ADA, by="Eve")
    assert [trace for trace in traces() if trace.encode() in bytes_of(file)] == []
    ledger.dispose()


@on_a_file
def test_an_erasure_that_broke_off_anywhere_goes_on(
    files: Files, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off before each of its transactions in turn, and done again by the id that nobody can compute."""
    files.ledger.dispose()
    for last in range(1, 20):
        copy = tmp_path / f"copy{last}" / "ledger.db"
        shutil.copytree(file.parent, copy.parent)
        ledger = Ledger(f"sqlite:///{copy}")
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "_in_one", _broken_after(ledger, last))
            try:
                ledger.erase(LID, by="Eve")
            except InterruptedError:
                done = False
            else:
                done = True
        ledger.erase(LID, by="Eve")
        assert found(ledger) == set(), f"broken off before transaction {last}"
        ledger.dispose()
        if done:
            return
    raise AssertionError("it has no end")


def _broken_after(ledger: Ledger, last: int) -> Callable[..., Any]:
    whole, left = ledger._in_one, [last]

    def broken(work: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise InterruptedError
        return whole(work)

    return broken
