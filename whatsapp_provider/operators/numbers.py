"""Check in bulk, and within a budget, which numbers are on WhatsApp."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from whatsapp_provider.errors import ConfigurationError, WhatsAppError
from whatsapp_provider.hooks.channels import ChannelLike
from whatsapp_provider.hooks.ledger import open_ledger
from whatsapp_provider.operators.audience import group_id, open_rows, shown
from whatsapp_provider.operators.base import Private, WhatsAppOperator, reveal
from whatsapp_provider.operators.checking import DAY, Answers, Budget, check_in_batches
from whatsapp_provider.operators.choices import check_choice, is_true, whole_number
from whatsapp_provider.redaction import mask_number

if TYPE_CHECKING:
    from airflow.sdk import Context

    from whatsapp_provider.campaigns.audience import Person
    from whatsapp_provider.model import GroupMember, NumberCheck

#: What a vendor's own checker takes for harmless: 5 numbers each 10 s, 1,000 a day. Nobody else gives a number.
BATCH, PAUSE_SECONDS, MOST_A_DAY = 5, 10.0, 1_000
MOST_RETURNED = 100  #: numbers that may go into XCom
SHOWN = 10  #: masked numbers in the log


class WhatsAppCheckNumbersOperator(WhatsAppOperator):
    """Ask which numbers are on WhatsApp, a few at a time and no more than the budget allows.

    Mass checks draw WhatsApp's attention to the channel that asks, and count against a gateway's plan: one trial
    allows 30 a day. What the budget leaves out is counted and stays for the next run, which goes on where this one
    stopped if there is an ``output_path``.

    Returns counts: ``total``, ``checked`` (by this attempt), ``known`` (from the file), ``on_whatsapp``,
    ``not_on_whatsapp``, ``not_checked`` and ``left_out``, and the paths of the files. Numbers are personal data:
    they are in the files alone, unless ``return_numbers`` asks for them.

    :param numbers: path or URL of a ``.csv`` or ``.jsonl`` file, a list of rows or numbers, or the output of a
        task. Lists are readable in Airflow's database; files are not.
    :param output_path: a ``.csv`` file of any storage of ``ObjectStoragePath``: ``phone``, ``on_whatsapp``, ``chat_id``
        and ``checked_at`` of each number that was ever checked into it. It is written after each batch, and what is in
        it is not asked again.
    :param existing_path: a ``.csv`` file that is written anew with those rows of ``numbers`` whose number is on
        WhatsApp: an audience for a campaign.
    :param max_checks: the budget: most numbers asked about in 24 hours, counted by the file at ``output_path``; without
        one, in each attempt of the task.
    :param batch_size: numbers in one request.
    :param pause: seconds between two requests.
    :param recheck_after: days after which an answer in the file is too old and the number is asked again.
    :param remember: keep the answers in the ledger, too: for 30 days campaigns on this gateway use the address that it
        told, for 7 days they leave out who is not on WhatsApp. An id that it told of a person is a form of theirs.
    :param return_numbers: return ``numbers``, too: each with its answer, readable in Airflow's database; at most 100.
    :param channel: what the create-channel task returned, a channel id, or a name; the connection's own
        channel where it is left out.
    :param recipient_field: the column with the number.
    :param region: ISO country code for numbers without country code.
    :param on_invalid: ``fail`` or ``skip`` rows whose recipient is no number. One number is asked about once, however
        often it is listed.
    """

    template_fields: Sequence[str] = (
        "numbers",
        "output_path",
        "existing_path",
        "max_checks",
        "channel",
        "whatsapp_conn_id",
    )
    private_fields: Sequence[str] = ("numbers",)

    def __init__(
        self,
        *,
        numbers: Any,
        output_path: str | None = None,
        existing_path: str | None = None,
        max_checks: int | str = MOST_A_DAY,
        batch_size: int = BATCH,
        pause: float = PAUSE_SECONDS,
        recheck_after: float | None = None,
        remember: bool = True,
        return_numbers: bool = False,
        channel: ChannelLike = None,
        recipient_field: str = "phone",
        region: str | None = None,
        on_invalid: Literal["fail", "skip"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice("on_invalid", on_invalid, "fail", "skip")
        if batch_size < 1 or pause < 0:
            raise ValueError("batch_size must be 1 or more, and pause 0 or more seconds.")
        self.numbers = numbers
        self.output_path = output_path
        self.existing_path = existing_path
        self.max_checks = max_checks
        self.batch_size = batch_size
        self.pause = pause
        self.recheck_after = recheck_after
        self.remember = remember
        self.return_numbers = return_numbers
        self.channel = channel
        self.recipient_field = recipient_field
        self.region = region
        self.on_invalid = on_invalid

    def work(self, context: Context) -> dict[str, Any]:
        """Read the list and the file, ask about the rest, write, count."""
        gateway = self.hook.gateway
        gateway.capabilities.require(gateway.name, "check_numbers")
        most = whole_number("max_checks", self.max_checks)
        self._check_paths()
        answers = Answers.at(self.output_path, max_age=self._max_age(), now=time.time())
        everybody, left_out = self._people()
        if self.return_numbers and len(everybody) > MOST_RETURNED:
            raise ConfigurationError(
                f"return_numbers is for {MOST_RETURNED} numbers at most, and these are {len(everybody)}. Give "
                "output_path instead."
            )
        known = sum(one.recipient.key in answers for one in everybody)
        budget = Budget(max(0, most - answers.made_since(time.time() - DAY)), self.batch_size, self.pause)
        self._announce(len(everybody), known, budget)
        checked = self._check([one for one in everybody if one.recipient.key not in answers], budget, answers)
        return self._result(everybody, answers, known=known, checked=checked, left_out=left_out)

    def private(self, field: str, value: Any) -> Private:
        """Show a file's path, and of rows their number only."""
        return Private(value, shown(value))

    def _check_paths(self) -> None:
        others = {self.output_path, reveal(self.numbers) if isinstance(reveal(self.numbers), str) else None}
        if self.existing_path and self.existing_path in others:
            raise ConfigurationError("existing_path is written anew, so it must be a file of its own.")

    def _max_age(self) -> float | None:
        return None if self.recheck_after is None else self.recheck_after * DAY

    def _people(self) -> tuple[list[Person], dict[str, int]]:
        from whatsapp_provider.campaigns.audience import AudienceOptions, Findings, Policy, people

        given = reveal(self.numbers)
        if group_id(given):
            raise ConfigurationError("The members of a group are on WhatsApp; there is nothing to check.")
        options = AudienceOptions(
            self.recipient_field,
            region=self.region,
            on_invalid=Policy(self.on_invalid),
            on_duplicate=Policy.SKIP,
        )
        findings = Findings(options)
        rows = open_rows(given, recipient_field=self.recipient_field, members=_no_members)
        found = list(people(rows, options, findings))
        # Ids of groups and hidden people are recipients, and no numbers.
        numbers = [one for one in found if one.recipient.address.isdecimal()]
        if len(numbers) < len(found):
            findings.counts["no phone number"] = len(found) - len(numbers)
        return numbers, findings.counts

    def _announce(self, total: int, known: int, budget: Budget) -> None:
        asked = min(total - known, budget.checks)
        self.log.info(
            "%d numbers, %d known from the file; the budget allows %d checks now: %d will be made, which takes %.0f s "
            "or more.",
            total,
            known,
            budget.checks,
            asked,
            budget.seconds(asked),
        )

    def _check(self, people: list[Person], budget: Budget, answers: Answers) -> int:
        """Ask about some and return how many were answered; what was answered is in the file when it fails."""
        ref = self.channel_ref(self.channel)
        keys = {one.recipient.address: one.recipient.key for one in people}
        before = len(answers)
        with self._memory() as remember:

            def keep(found: Sequence[NumberCheck]) -> None:
                by_key = {keys[one.number]: one for one in found}
                answers.keep(by_key, at=time.time())
                remember(by_key)

            try:
                check_in_batches(
                    lambda batch: self.hook.check_numbers(batch, channel=ref),
                    list(keys),
                    budget,
                    keep,
                    sleep=time.sleep,
                    log=self.log,
                )
            except WhatsAppError:
                where = "kept" if self.output_path or is_true("remember", self.remember) else "lost"
                self.log.warning("Stopped after %d answers, which are %s.", len(answers) - before, where)
                raise
        return len(answers) - before

    @contextmanager
    def _memory(self) -> Iterator[Callable[[Mapping[str, NumberCheck]], None]]:
        """Yield what keeps answers in the ledger, if they are to be kept there."""
        if not is_true("remember", self.remember):
            yield lambda _found: None
            return
        ledger = open_ledger()
        try:
            # Now, and not when the first checks are used up.
            ledger.prepare()
            yield partial(ledger.keep_checks, self.hook.gateway.name)
        finally:
            ledger.dispose()

    def _result(
        self, everybody: list[Person], answers: Answers, *, known: int, checked: int, left_out: dict[str, int]
    ) -> dict[str, Any]:
        there = [one for one in everybody if answers.exists(one.recipient.key)]
        absent = [one for one in everybody if answers.exists(one.recipient.key) is False]
        missing = len(everybody) - len(there) - len(absent)
        result: dict[str, Any] = {
            "total": len(everybody),
            "checked": checked,
            "known": known,
            "on_whatsapp": len(there),
            "not_on_whatsapp": len(absent),
            "not_checked": missing,
            "left_out": left_out,
        }
        self.log.info(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items()))
        if absent:
            masked = ", ".join(mask_number(one.recipient.key) for one in absent[:SHOWN])
            self.log.info("Not on WhatsApp: %s%s", masked, " …" if len(absent) > SHOWN else "")
        if missing:
            self.log.warning(
                "%d numbers were not checked: the budget of %s checks in 24 hours is used up. %s",
                missing,
                self.max_checks,
                "A later run goes on with them."
                if self.output_path
                else "Give output_path, so that a later run goes on with them.",
            )
        if self.existing_path:
            answers.write_rows(self.existing_path, [one.variables for one in there], self.recipient_field)
        result |= {name: path for name, path in self._paths().items() if path}
        if self.return_numbers:
            result["numbers"] = {
                f"+{one.recipient.address}": answers.exists(one.recipient.key) for one in everybody
            }
        return result

    def _paths(self) -> dict[str, str | None]:
        return {"output_path": self.output_path, "existing_path": self.existing_path}


def _no_members(group: str) -> list[GroupMember]:
    raise ConfigurationError(f"{group} is a group and no number.")
