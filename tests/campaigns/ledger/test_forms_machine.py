"""Whatever is learned of whom in whatever order: who stopped by one form is stopped by all of theirs until lifted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select

from tests.campaigns.ledger.book import KEY
from tests.campaigns.support import number
from tests.campaigns.virtual_time import Time
from whatsapp_provider.campaigns.ledger import identities
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import alias, suppression
from whatsapp_provider.campaigns.ledger.suppression import Source

NUMBERS = [number(index) for index in range(4)]
IDS = [f"10000000000000{index}@lid" for index in range(3)] + [f"US.{index}" for index in range(3)]
FORMS = NUMBERS + IDS
_form = st.sampled_from(FORMS)
_forms = st.lists(_form, min_size=2, max_size=4, unique=True)
STOP, PERSON, ERASED = 0, 1, 2
WORDS = {"opt_out: asked to stop": STOP, "opt_out: added by a person": PERSON, "opt_out: erased": ERASED}


class FormsMachine(RuleBasedStateMachine):
    """People with many forms. What must be on the list is known form by form, with what put it there."""

    ledger: Ledger
    time: Time

    def __init__(self) -> None:
        super().__init__()
        with self.ledger._database.transaction() as connection:
            for table in (alias, suppression):
                connection.execute(delete(table))
        self.must: dict[str, int] = {}
        self.together: list[set[str]] = [{each} for each in NUMBERS]

    def all_of(self, forms: Iterable[str]) -> frozenset[str]:
        with self.ledger._database.transaction() as connection:
            return identities.known_forms(connection, [list(forms)])[0]

    def put(self, forms: Iterable[str], source: int) -> None:
        for form in forms:
            self.must[form] = max(source, self.must.get(form, source))

    @rule(forms=_forms, source=st.sampled_from(LearnedFrom))
    def learn(self, forms: list[str], source: LearnedFrom) -> None:
        self.time.now += 1
        self.ledger.link([forms], source)
        self.learned(forms)

    @rule(people=st.lists(_forms, min_size=2, max_size=4))
    def learn_many(self, people: list[list[str]]) -> None:
        """As a plan does, a batch at a time."""
        self.time.now += 1
        self.ledger.link(people, LearnedFrom.AUDIENCE)
        for forms in people:
            self.named_together(forms)
        # Of erased people nothing is learned, and what they stopped counts for whom they are named with.
        for forms in sorted(people, key=self.was_erased):
            self.spread(forms)

    @rule(forms=st.lists(_form, min_size=1, max_size=3, unique=True))
    def stop(self, forms: list[str]) -> None:
        self.time.now += 1
        self.ledger.record_inbound(KEY, sender=forms[0], sender_aliases=forms[1:], text="STOP")
        self.learned(forms)
        self.put(self.all_of(forms), max((self.must.get(form, STOP) for form in forms), default=STOP))

    @rule(form=_form)
    def start(self, form: str) -> None:
        self.time.now += 1
        self.ledger.record_inbound(KEY, sender=form, text="START")
        everything = self.all_of([form])
        if all(self.must.get(each, STOP) == STOP for each in everything):
            self.forget(everything)

    @rule(form=_form)
    def a_person_adds(self, form: str) -> None:
        self.time.now += 1
        self.ledger.suppress([[form]], source=Source.PERSON, by="Ada")
        self.put(self.all_of([form]), PERSON)

    @rule(form=_form)
    def a_person_lifts(self, form: str) -> None:
        self.time.now += 1
        self.ledger.unsuppress([[form]], by="Ada")
        self.forget(self.all_of([form]))

    @rule(form=_form)
    def erase(self, form: str) -> None:
        self.time.now += 1
        everything = self.all_of([form])
        self.ledger.erase(form, by="Ada")
        assert all(self.all_of([each]) == {each} for each in everything), "their forms are nobody's now"
        self.put(everything, ERASED)

    def was_erased(self, forms: Iterable[str]) -> bool:
        return any(self.must.get(form) == ERASED for form in forms)

    def forget(self, forms: Iterable[str]) -> None:
        for form in forms:
            self.must.pop(form, None)

    def learned(self, forms: list[str]) -> None:
        erased = self.was_erased(forms)
        self.named_together(forms)
        self.spread(forms)
        numbers = [form for form in forms if form in NUMBERS]
        if numbers and not erased:
            assert set(forms) <= self.all_of(numbers[:1]), "what was told together belongs together"

    def named_together(self, forms: Iterable[str]) -> None:
        groups = [group for group in self.together if group & set(forms)]
        self.together = [group for group in self.together if group not in groups]
        self.together += [set().union(*groups)] if groups else []

    def spread(self, forms: Iterable[str]) -> None:
        everything = self.all_of(forms)
        sources = [self.must[form] for form in everything if form in self.must]
        if sources:
            self.put(everything, max(sources))

    @invariant()
    def exactly_they_are_on_the_list(self) -> None:
        found = self.ledger.suppressed(FORMS)
        assert set(found) == set(self.must)
        assert {form: WORDS[told] for form, told in found.items()} == self.must
        shown = {entry.recipient for entry in self.ledger.suppressions()} - {None}
        assert shown == {form for form, source in self.must.items() if source != ERASED}

    @invariant()
    def a_link_leads_to_whom_it_names_and_no_further(self) -> None:
        with self.ledger._database.transaction() as connection:
            links = {row.alias: row.recipient for row in connection.execute(select(alias))}
        assert not set(links) & set(links.values())

    @invariant()
    def numbers_are_one_person_only_where_somebody_said_so(self) -> None:
        for each in NUMBERS:
            mine = {form for form in self.all_of([each]) if form in NUMBERS}
            assert any(mine <= group for group in self.together)


def test_who_stopped_by_one_form_is_stopped_by_all(sqlite_url: str, time: Time, monkeypatch: Any) -> None:
    ledger = Ledger(sqlite_url, clock=time.database)
    ledger.prepare()
    monkeypatch.setattr(FormsMachine, "ledger", ledger, raising=False)
    monkeypatch.setattr(FormsMachine, "time", time, raising=False)
    run_state_machine_as_test(
        FormsMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    ledger.dispose()
