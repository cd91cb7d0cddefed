"""Only public addresses are asked for files, and private ones that a deployment names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.media.addresses import OPENABLE, Openings, Reach, reach_of

EVERYTHING = Openings.of("files.example, 0.0.0.0/0, ::/0")


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "100.128.0.1", "172.32.0.1", "2606:2800:220:1::1"]
)
def test_public_addresses_are_asked(address: str) -> None:
    assert reach_of(address) is Reach.PUBLIC
    assert Openings().allow("files.example", address)


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.255.0.9", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("10.1.2.3", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("172.31.255.255", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("fc00::1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("fec0::1", Reach.PRIVATE),
        ("64:ff9b:1::a00:1", Reach.PRIVATE),
        ("100.64.0.1", Reach.SHARED),
        ("100.127.255.255", Reach.SHARED),
        ("169.254.1.1", Reach.LINK_LOCAL),
        ("fe80::1", Reach.LINK_LOCAL),
        ("fe80::1%eth0", Reach.LINK_LOCAL),
        ("169.254.169.254", Reach.METADATA),
        ("100.100.100.200", Reach.METADATA),
        ("168.63.129.16", Reach.METADATA),
        ("fd00:ec2::254", Reach.METADATA),
        ("0.0.0.0", Reach.UNSPECIFIED),
        ("0.1.2.3", Reach.UNSPECIFIED),
        ("::", Reach.UNSPECIFIED),
        ("224.0.0.1", Reach.MULTICAST),
        ("ff02::1", Reach.MULTICAST),
        ("255.255.255.255", Reach.RESERVED),
        ("240.0.0.1", Reach.RESERVED),
        ("192.0.0.8", Reach.RESERVED),
        ("198.18.0.1", Reach.RESERVED),
        ("203.0.113.5", Reach.RESERVED),
        ("2001:db8::1", Reach.RESERVED),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Reach.RESERVED),
        ("100::1", Reach.RESERVED),
        ("::7f00:1", Reach.RESERVED),
        ("no address", Reach.RESERVED),
    ],
)
def test_no_other_address_is(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach
    assert not Openings().allow("files.example", address)


@pytest.mark.parametrize("form", ["::ffff:{}", "::ffff:0:{}", "64:ff9b::{}"])
@pytest.mark.parametrize(
    ("inner", "reach"),
    [
        ("127.0.0.1", Reach.LOOPBACK),
        ("10.0.0.1", Reach.PRIVATE),
        ("169.254.169.254", Reach.METADATA),
        ("8.8.8.8", Reach.PUBLIC),
    ],
)
def test_an_ipv4_address_inside_of_an_ipv6_one_is_judged_itself(form: str, inner: str, reach: Reach) -> None:
    assert reach_of(form.format(inner)) is reach


def test_so_is_one_of_6to4() -> None:
    assert reach_of("2002:7f00:1::1") is Reach.LOOPBACK
    assert reach_of("2002:808:808::1") is Reach.PUBLIC


@given(st.ip_addresses())
def test_whatever_python_calls_not_global_is_not_public(address: IPv4Address | IPv6Address) -> None:
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if reach_of(str(address)) is Reach.PUBLIC:
        assert (inner or address).is_global
        assert not (inner or address).is_multicast


# -- what a deployment opens ------------------------------------------------------------------------


def test_a_host_a_network_and_an_address_can_be_opened() -> None:
    openings = Openings.of(" Files.Internal. , 10.0.3.0/24,192.168.1.9,, fd12::/64")
    assert openings.allow("files.internal", "10.9.9.9")
    assert openings.allow("any.example", "10.0.3.77")
    assert openings.allow("any.example", "::ffff:10.0.3.77")
    assert openings.allow("any.example", "192.168.1.9")
    assert openings.allow("any.example", "fd12::5")
    assert not openings.allow("any.example", "10.0.4.1")
    assert not openings.allow("sub.files.internal", "10.9.9.9")


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "169.254.1.1", "fe80::1", "224.0.0.1", "0.0.0.0", "168.63.129.16", "fd00:ec2::254"],
)
def test_what_serves_nobodys_files_can_not_be_opened(address: str) -> None:
    assert reach_of(address) not in OPENABLE
    assert not EVERYTHING.allow("files.example", address)


@pytest.mark.parametrize(
    "entry", ["http://files.internal/", "files.internal:9000", "10.0.0.0/33", "*.internal", "a b"]
)
def test_what_is_no_host_is_refused_by_name(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="private_media_hosts has"):
        Openings.of(entry)
