"""Number checks in batches, and the file that keeps their answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import (
    ConfigurationError,
    RateLimitedError,
    RecipientError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.redaction import redact

if TYPE_CHECKING:
    from whatsapp_provider.model import NumberCheck

DAY = 86_400.0
COLUMNS = ("phone", "on_whatsapp", "chat_id", "checked_at")
_WORDS = {"yes": True, "no": False}
#: How often a batch is asked again when the gateway says that it comes too early, and the longest wait it may ask for.
MOST_WAITS, LONGEST_WAIT, WAIT = 5, 300.0, 60.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be asked, and how fast.

    :param checks: numbers that may be asked about.
    :param pause: seconds between two batches.
    """

    checks: int
    batch_size: int
    pause: float

    def seconds(self, checks: int) -> float:
        """Return how long so many checks take at least."""
        batches = -(-checks // self.batch_size)
        return max(0, batches - 1) * self.pause


def check_in_batches(
    ask: Callable[[Sequence[str]], Sequence[NumberCheck]],
    numbers: Sequence[str],
    budget: Budget,
    keep: Callable[[Sequence[NumberCheck]], None],
    *,
    sleep: Callable[[float], None],
    log: Any,
) -> None:
    """Ask about as many numbers as the budget allows; each batch's answers are kept before the next is asked.

    A gateway that says that it comes too early is waited for, as it says.

    :raises GatewayError: if a batch can't be had.
    """
    allowed = numbers[: budget.checks]
    for start in range(0, len(allowed), budget.batch_size):
        if start:
            sleep(budget.pause)
        keep(_asked(ask, allowed[start : start + budget.batch_size], sleep, log))


def _asked(
    ask: Callable[[Sequence[str]], Sequence[NumberCheck]],
    batch: Sequence[str],
    sleep: Callable[[float], None],
    log: Any,
) -> Sequence[NumberCheck]:
    for waits in range(MOST_WAITS + 1):
        try:
            return ask(batch)
        except (RateLimitedError, TemporarilyUnavailableError) as error:
            # A 502 is "come back" too, and was tried again before it came here.
            told = WAIT if isinstance(error, RateLimitedError) else None
            seconds = told if error.retry_after is None else error.retry_after
            if seconds is None or seconds > LONGEST_WAIT or waits == MOST_WAITS:
                raise
            log.info("The gateway asks to wait: %s Next try in %.0f s.", error, seconds)
            sleep(seconds)
    raise AssertionError("the last turn returns or raises")


@dataclass(slots=True)
class Answers:
    """What is known of numbers, by their canonical form, and the file that keeps it.

    :param path: where it is kept; nowhere without one.
    """

    path: str | None
    max_age: float | None = None
    now: float = 0.0
    _rows: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def at(cls, path: str | None, *, max_age: float | None, now: float) -> Answers:
        """Read what the file has; one that isn't there is begun.

        :param max_age: seconds after which an answer is too old.
        :raises ConfigurationError: if it is another kind of file, which must not be written over.
        """
        answers = cls(path, max_age, now)
        if path:
            answers._rows.update(_read(path))
        return answers

    def __len__(self) -> int:
        return sum(key in self for key in self._rows)

    def __contains__(self, key: object) -> bool:
        row = self._rows.get(str(key))
        return row is not None and (self.max_age is None or self.now - _moment(row) <= self.max_age)

    def exists(self, key: str) -> bool | None:
        """Return whether a number is on WhatsApp, ``None`` where that isn't known."""
        return _WORDS[self._rows[key]["on_whatsapp"]] if key in self else None

    def made_since(self, moment: float) -> int:
        """Return how many numbers of the file were asked about since then."""
        return sum(_moment(row) > moment for row in self._rows.values())

    def keep(self, found: Mapping[str, NumberCheck], *, at: float) -> None:
        """Add answers and write the file."""
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
        for key, one in found.items():
            word = "yes" if one.exists else "no"
            # A person's form stays as it was asked: two forms of a number can be one person.
            values = (f"+{one.number}", word, one.chat_id or "", moment)
            self._rows[key] = dict(zip(COLUMNS, values, strict=True))
        if self.path:
            _write(self.path, COLUMNS, self._rows.values())

    def write_rows(self, path: str, rows: Sequence[Mapping[str, Any]], recipient_field: str) -> None:
        """Write rows of the list as a file of their own, all columns of all rows."""
        columns = list(dict.fromkeys([recipient_field, *(name for row in rows for name in row)]))
        _write(path, columns, rows)


def _read(path: str) -> Iterator[tuple[str, dict[str, str]]]:
    from whatsapp_provider.campaigns.identity import parse_recipient

    with _storage(path) as place:
        text = place.read_text(encoding="utf-8") if place.exists() else ""
    if not text:
        return
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ConfigurationError(
            f"output_path {redact(path)} holds another file, whose first line is not {','.join(COLUMNS)}. Name a new "
            "file; this one was not touched."
        )
    for row in reader:
        try:
            _ = _WORDS[row["on_whatsapp"]], _moment(row)
            key = parse_recipient(row["phone"]).key
        except (KeyError, ValueError, TypeError, RecipientError):
            raise ConfigurationError(
                f"output_path {redact(path)}, line {reader.line_num}: no answer of a number check. Mend the line, or "
                "name a new file; this one was not touched."
            ) from None
        yield key, row


def _write(path: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with _storage(path) as place:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: a task that is killed while it writes must not lose what it knew.
        with place.fs.transaction, place.open("wb") as file:
            file.write(text.getvalue().encode())


@contextmanager
def _storage(path: str) -> Iterator[Any]:
    from airflow.sdk import ObjectStoragePath

    try:
        yield ObjectStoragePath(path)
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"{redact(path)} can't be used: {redact(str(error))}") from None


def _moment(row: Mapping[str, str]) -> float:
    return datetime.fromisoformat(row["checked_at"]).timestamp()
