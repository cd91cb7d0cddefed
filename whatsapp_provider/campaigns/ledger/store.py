"""The ledger's database, opened at its first use, and its tables, of the right version."""

from __future__ import annotations

from random import Random

from sqlalchemy.engine import URL

from whatsapp_provider.campaigns.ledger import migrations
from whatsapp_provider.campaigns.ledger.database import Database, OwnClock
from whatsapp_provider.campaigns.ledger.due import Due


class Store:
    """Base of the ledger.

    :param url: an SQLAlchemy URL.
    :param clock: stands in for the database's clock in tests; seconds since the epoch.
    :param chance: what the distances between messages are drawn from.
    :param may_change_tables: whether missing tables are made, and older ones upgraded, at the first use.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        clock: OwnClock | None = None,
        chance: Random | None = None,
        may_change_tables: bool = True,
    ) -> None:
        self._database = Database(url, clock=clock)
        self._due = Due()
        self._chance = chance or Random()  # noqa: S311 - no secret
        self._may_change_tables = may_change_tables
        self._prepared = False

    @property
    def url(self) -> URL | None:
        """Where another process finds it; ``None`` for one in memory, or with a clock of its own."""
        return self._database.url

    @property
    def name(self) -> str:
        """Where it is, fit for a log."""
        return self._database.name

    def prepare(self) -> None:
        """Check that the tables are of this version; make or upgrade them where that may be done here.

        :raises LedgerUnavailableError: if the database can't be reached, the right to change tables is missing,
            or it is left to a person.
        :raises LedgerError: if the tables are of a newer version that this package can't use.
        """
        if not self._prepared:
            migrations.check(self._database, may_change=self._may_change_tables)
            self._prepared = True

    def version(self) -> int | None:
        """Return the version of the tables that are there, ``None`` for none; nothing is changed.

        :raises LedgerUnavailableError: if the database can't be reached.
        """
        return migrations.look(self._database)

    def upgrade(self) -> int | None:
        """Make the tables or bring them to this version; return the version found, ``None`` for none.

        :raises LedgerUnavailableError: if the right for it is missing.
        """
        found = migrations.upgrade(self._database)
        migrations.check(self._database, may_change=False)
        self._prepared = True
        return found

    def dispose(self) -> None:
        """Close all connections."""
        self._database.dispose()
