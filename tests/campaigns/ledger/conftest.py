"""Each test of the ledger runs on each of its databases."""

from __future__ import annotations

import pytest

from tests.campaigns.conftest import MARIADB, POSTGRES


@pytest.fixture(params=["sqlite", POSTGRES, MARIADB])
def url(request: pytest.FixtureRequest) -> str:
    """Where the ledger is."""
    return str(request.getfixturevalue(f"{request.param}_url"))
