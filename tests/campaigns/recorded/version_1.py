"""A ledger of schema version 1, and a runner of that version that goes on while the ledger is upgraded.

``version_1.sqlite.sql`` and ``version_1.postgresql.sql`` were written by the code of commit 3a7e20c. On MariaDB there
was no version 1: there the recorded rows are put into today's tables without what came since.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.engine import make_url

from whatsapp_provider.campaigns.ledger.engines import normalize
from whatsapp_provider.campaigns.ledger.schema import metadata

HERE = Path(__file__).parent
#: The moment of ``virtual_time.Time`` at which the recording ends.
NOW = 1100.0
#: What each campaign was recorded as; ``spring``'s runner is dead, ``autumn``'s is alive.
COUNTS = {
    "done": {"accepted": 3},
    "message/order-1": {"accepted": 1},
    "halted": {"planned": 3},
    "spring": {"accepted": 1, "in_doubt": 1, "planned": 4, "postponed": 1, "rejected": 1, "sending": 2},
    "autumn": {"planned": 2, "sending": 2},
}


def engine(url: str) -> Engine:
    """Open a database as somebody who has nothing of ours."""
    return create_engine(normalize(make_url(url)))


def execute(url: str, *statements: str) -> None:
    """Carry out statements as they are."""
    opened = engine(url)
    with opened.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    opened.dispose()


def write(url: str) -> None:
    """Put the recorded ledger there."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        path = Path(make_url(url).database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(_recorded("sqlite"))
    elif kind == "postgresql":
        execute(url, _recorded("postgresql"))
    else:
        _write_without_what_came_since(url)


def _write_without_what_came_since(url: str) -> None:
    opened = engine(url)
    metadata.create_all(opened)
    opened.dispose()
    rows = [line for line in _recorded("sqlite").splitlines() if line.startswith('INSERT INTO "wa_')]
    old = (line.replace('"wa_', "wa_").replace('" VALUES', " VALUES") for line in rows)
    execute(url, "SET foreign_key_checks = 0", *_what_came_since(), *old)


def _what_came_since() -> Iterator[str]:
    """Yield the statements that drop what the recorded tables lack."""
    recorded = MetaData()
    memory = create_engine("sqlite://")
    with memory.connect() as connection:
        connection.connection.driver_connection.executescript(_recorded("sqlite"))  # type: ignore[union-attr]  # sqlite3's
        recorded.reflect(connection)
    for table in metadata.sorted_tables:
        old = recorded.tables.get(table.name)
        if old is None:
            yield f"DROP TABLE {table.name}"
            continue
        kept = {index.name for index in old.indexes}
        # What is indexed still can't be dropped; the recorded index with it came before them.
        yield from (
            f"CREATE INDEX {index.name} ON {table.name} ({', '.join(index.columns.keys())})"
            for index in old.indexes
            if index.name not in {known.name for known in table.indexes}
        )
        yield from (
            f"DROP INDEX {index.name} ON {table.name}" for index in table.indexes if index.name not in kept
        )
        yield from (
            f"ALTER TABLE {table.name} DROP COLUMN {c.name}"
            for c in table.columns
            if c.name not in old.columns
        )


def _recorded(kind: str) -> str:
    return (HERE / f"version_1.{kind}.sql").read_text()


# The statements of ``campaigns/ledger/turns.py`` and ``endings.py`` at commit 3a7e20c.
_COLUMNS = (
    "id, campaign, seq, recipient, address, variables, body_hash, state, runner, attempt, postponed, permit, "
    "not_before, message_id, code, reason, updated_at"
)
_DUE = f"SELECT {_COLUMNS} FROM wa_delivery WHERE campaign = :campaign AND state = 'planned' ORDER BY seq LIMIT 1"
_INTEND = (
    "UPDATE wa_delivery SET state = 'sending', runner = :token, attempt = attempt + 1, permit = :permit, "
    "updated_at = :now WHERE id = :id AND state IN ('planned', 'postponed')"
)
_RESULT = (
    "UPDATE wa_delivery SET state = :state, message_id = :message_id, code = :code, reason = NULL, "
    "not_before = NULL, postponed = postponed + 0, updated_at = :now "
    "WHERE id = :id AND runner = :token AND attempt = :attempt AND (state = 'sending' OR state = 'in_doubt' "
    "OR state = 'planned' AND :sent = 1)"
)
_RENEW = "UPDATE wa_runner SET lease_until = :until WHERE id = :token AND ended = 0 AND lease_until > :now"
_PERMIT = "INSERT INTO wa_permit (channel, taken_at, count) VALUES (:channel, :now, 1)"
_BEGIN = "INSERT INTO wa_runner (campaign, label, lease_until, ended) VALUES (:campaign, :label, :until, 0)"
_END_DEAD = "UPDATE wa_runner SET ended = 1 WHERE campaign = :campaign AND ended = 0 AND lease_until <= :now"
_DOUBT = (
    "UPDATE wa_delivery SET state = 'in_doubt', code = 'killed', reason = 'the run that sent it was killed', "
    "updated_at = :now WHERE campaign = :campaign AND state = 'sending' AND runner = :token"
)


@dataclass
class OldRunner:
    """A run of version 1: its lease is taken or begun, and its statements go on whatever becomes of the tables."""

    url: str
    campaign: int
    token: int
    seconds: float = 600.0
    attempts: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._engine = engine(self.url)

    def close(self) -> None:
        self._engine.dispose()

    def begin(self, now: float) -> None:
        with self._engine.begin() as connection:
            values = {"campaign": self.campaign, "label": f"old {id(self)}", "until": now + self.seconds}
            connection.execute(text(_BEGIN), values)
            last = text("SELECT max(id) FROM wa_runner WHERE label = :label")
            self.token = connection.execute(last, {"label": values["label"]}).scalar_one()

    def take(self, now: float) -> int:
        """Commit the intent to send to the next one, and return its number."""
        with self._engine.begin() as connection:
            self._renew(connection, now)
            lock = "" if self._engine.dialect.name == "sqlite" else " FOR UPDATE SKIP LOCKED"
            row = connection.execute(text(_DUE + lock), {"campaign": self.campaign}).one()
            connection.execute(text(_PERMIT), {"channel": "whapi/TESTER-1", "now": now})
            permit = connection.execute(text("SELECT max(id) FROM wa_permit")).scalar_one()
            values = {"token": self.token, "permit": permit, "now": now, "id": row.id}
            assert connection.execute(text(_INTEND), values).rowcount == 1
            self.attempts[row.id] = row.attempt + 1
        return int(row.id)

    def result(self, number: int, state: str, now: float, message_id: str | None = None) -> bool:
        """Write what became of a send; tell whether that was taken."""
        with self._engine.begin() as connection:
            self._renew(connection, now)
            values = {
                "state": state,
                "message_id": message_id,
                "code": None if message_id else "ReadTimeout",
                "now": now,
                "id": number,
                "token": self.token,
                "attempt": self.attempts.get(number, 1),
                "sent": int(state == "accepted"),
            }
            return connection.execute(text(_RESULT), values).rowcount == 1

    def take_over(self, token: int, now: float) -> None:
        """Put what a dead run left in doubt."""
        with self._engine.begin() as connection:
            connection.execute(text(_END_DEAD), {"campaign": self.campaign, "now": now})
            connection.execute(text(_DOUBT), {"campaign": self.campaign, "token": token, "now": now})

    def _renew(self, connection: Connection, now: float) -> None:
        values = {"until": now + self.seconds, "token": self.token, "now": now}
        assert connection.execute(text(_RENEW), values).rowcount == 1
