"""PostgreSQL, as the ledger's tests have it."""

from tests.campaigns.conftest import postgres_server

__all__ = ["postgres_server"]
