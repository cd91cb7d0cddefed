"""What a WhatsCloud connection takes, and how its webhooks prove whom they are from."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from tests.gateways import whatscloud_facts as facts
from tests.gateways.whatscloud_server import WhatsCloudServer
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.whatscloud.connection import WhatsCloudConfig
from whatsapp_provider.gateways.whatscloud.gateway import open_gateway
from whatsapp_provider.gateways.whatscloud.webhooks import verify_signature

SECRET, BODY = "hook-secret-4711", b'{"event":"message.sent", "data":{}}'
SIGNATURE = hmac.new(SECRET.encode(), BODY, "sha256").hexdigest()


def config(host: str = "", password: str = facts.TOKEN, **extra: Any) -> WhatsCloudConfig:
    return WhatsCloudConfig.read(
        ConnectionValues("my_conn", host=host, password=password, extra={"tenant": "acme", **extra})
    )


def test_the_vendors_address_and_limits_are_the_default() -> None:
    found = config()
    assert (found.url, found.rate_limit, found.timeout) == ("https://whatscloud.pro/api/v1", 60, 30)
    assert config("https://chat.example/api/v1/").url == "https://chat.example/api/v1"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": ""}, "has no API token"),
        ({"tenant": ""}, "names no tenant"),
        ({"tenant": None}, "names no tenant"),
        ({"tenant": "a/b"}, "can't be a tenant"),
        ({"tenant": "https://x.example"}, "can't be a tenant"),
        ({"tenant": ".."}, "can't be a tenant"),
        ({"tenant": "a b"}, "can't be a tenant"),
        ({"tenant": "ä"}, "can't be a tenant"),
        ({"host": "https://chat.example/api/v1/acme"}, "ends with the tenant already"),
        ({"rate_limit": 0}, "'rate_limit' must be at least 1"),
    ],
)
def test_what_can_not_reach_a_tenant_is_refused_with_what_to_do(fields: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'my_conn'.*{words}"):
        config(**fields)


def test_two_servers_tenants_of_one_name_are_two_channels(whatscloud: WhatsCloudServer) -> None:
    one, two = whatscloud.gateway(), whatscloud.gateway(host="https://chat.example/api/v1")
    assert one.account_key != two.account_key
    assert (one.channel_scope, two.channel_scope) == ("whatscloud.pro/api/v1", "chat.example/api/v1")
    long = whatscloud.gateway(host=f"https://{'a' * 60}.{'b' * 60}.example/api/v1")
    assert len(long.channel_scope) == 12


def test_a_new_token_is_the_same_account() -> None:
    values = ConnectionValues("c", password="another-token", extra={"tenant": "acme"})
    other = ConnectionValues("c", password=facts.TOKEN, extra={"tenant": "acme"})
    assert open_gateway(values).account_key == open_gateway(other).account_key


def test_no_secret_is_in_the_repr_of_a_connection() -> None:
    shown = repr(
        [
            config(webhook_secret=SECRET),
            open_gateway(ConnectionValues("c", password="tok", extra={"tenant": "a"})),
        ]
    )
    assert facts.TOKEN not in shown
    assert SECRET not in shown


def test_a_delivery_that_was_signed_with_the_secret_is_told_from_all_others() -> None:
    assert verify_signature(SECRET, BODY, SIGNATURE)
    assert verify_signature(SECRET, BODY, f" {SIGNATURE}\n")
    for secret, body, signature in (
        (SECRET, BODY + b" ", SIGNATURE),
        (SECRET, BODY.replace(b" ", b""), SIGNATURE),
        ("another", BODY, SIGNATURE),
        (SECRET, BODY, SIGNATURE.upper()),
        (SECRET, BODY, f"sha256={SIGNATURE}"),
        (SECRET, BODY, SIGNATURE[:-1]),
        (SECRET, BODY, ""),
        (SECRET, BODY, "ü\udcff"),
        ("", BODY, hmac.new(b"", BODY, "sha256").hexdigest()),
    ):
        assert not verify_signature(secret, body, signature), signature
