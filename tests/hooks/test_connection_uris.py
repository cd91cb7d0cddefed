"""Airflow writes a connection as a URI in several ways."""

from __future__ import annotations

import pytest
from airflow.models.connection import Connection

from whatsapp_provider.gateways.connection import ConnectionValues

SECRET = "gW3kZ0bYt7LhXq2mRv8PnCs5DfJa1UeT"


@pytest.mark.parametrize(
    "uri",
    [
        "whapi://:{token}@127.0.0.1:8080/http?timeout=5",
        "whapi://http://:{token}@127.0.0.1:8080/?timeout=5",
        "whapi://:{token}@http%3A%2F%2F127.0.0.1%3A8080/?timeout=5",
    ],
)
def test_airflows_uri_forms_all_mean_the_same(uri: str) -> None:
    connection = Connection(conn_id="my_conn", uri=uri.format(token=SECRET))
    read = ConnectionValues(
        connection.conn_id,
        host=connection.host or "",
        schema=connection.schema or "",
        port=connection.port,
        password=connection.password or "",
        extra=connection.extra_dejson,
    )
    assert read.base_url("") == "http://127.0.0.1:8080"
    assert read.token(read.password, "Password") == SECRET
    assert read.number("timeout", 30, minimum=1) == 5
