"""Which addresses may be asked for a file.

URLs come from rows of an audience, so from outsiders: whoever writes one must not make a worker ask a server that only
the worker can reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from whatsapp_provider.errors import ConfigurationError

Address = IPv4Address | IPv6Address


class Reach(StrEnum):
    """Where an address leads."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    SHARED = "carrier's (100.64.0.0/10)"
    LINK_LOCAL = "link-local"
    METADATA = "cloud metadata"
    MULTICAST = "multicast"
    UNSPECIFIED = "unspecified"
    RESERVED = "reserved"


#: What a deployment may open. The others serve nobody's files.
OPENABLE = frozenset({Reach.PRIVATE, Reach.LOOPBACK, Reach.SHARED})

#: Where clouds hand credentials to whoever asks from inside; one is of a public network.
_METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",
            "169.254.170.2",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
        ),
    )
)
#: IANA's special-purpose registries, written out: what Python knows of them differs between its versions.
_NETWORKS: tuple[tuple[IPv4Network | IPv6Network, Reach], ...] = tuple(
    (ip_network(network), reach)
    for reach, networks in (
        (Reach.UNSPECIFIED, "0.0.0.0/8 ::/128"),
        (Reach.LOOPBACK, "127.0.0.0/8 ::1/128"),
        (Reach.PRIVATE, "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10 64:ff9b:1::/48"),
        (Reach.SHARED, "100.64.0.0/10"),
        (Reach.LINK_LOCAL, "169.254.0.0/16 fe80::/10"),
        (Reach.MULTICAST, "224.0.0.0/4 ff00::/8"),
        (
            Reach.RESERVED,
            "192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24",
        ),
        (Reach.RESERVED, "240.0.0.0/4 2001::/23 2001:db8::/32 3fff::/20"),
    )
    for network in networks.split()
)
_UNICAST = IPv6Network("2000::/3")
#: IPv6 addresses that are an IPv4 address in their last 32 bits: mapped, translated, NAT64.
_CARRIES_IPV4 = tuple(map(IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
_LAST_32_BITS = 0xFFFF_FFFF


def reach_of(text: str) -> Reach:
    """Return where an address leads, as a resolver wrote it; what can't be read is reserved."""
    try:
        return _reach(ip_address(text))
    except ValueError:
        return Reach.RESERVED


def _reach(address: Address) -> Reach:
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return Reach.LINK_LOCAL
        if (carried := _carried(address)) is not None:
            return _reach(carried)
    if address in _METADATA:
        return Reach.METADATA
    for network, reach in _NETWORKS:
        if address.version == network.version and address in network:
            return reach
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return Reach.RESERVED
    return Reach.PUBLIC if address.is_global else Reach.RESERVED


def _carried(address: IPv6Address) -> IPv4Address | None:
    if any(address in network for network in _CARRIES_IPV4):
        return IPv4Address(int(address) & _LAST_32_BITS)
    return address.sixtofour


@dataclass(frozen=True, slots=True)
class Openings:
    """Private places that may be asked for files, because a deployment keeps its files there.

    :param names: hosts, whatever private address they have.
    """

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, listed: str) -> Openings:
        """Read a list: hosts, addresses and networks, with commas between them.

        :raises ConfigurationError: for what is none of these, such as a URL.
        """
        names, networks = set[str](), []
        for entry in filter(None, (one.strip().lower().rstrip(".") for one in listed.split(","))):
            try:
                networks.append(ip_network(entry))
                continue
            except ValueError:
                pass
            if any(sign in entry for sign in "/:@*? "):
                raise ConfigurationError(
                    f"[whatsapp] private_media_hosts has {entry!r}, which is neither a host's name nor an address nor "
                    "a network such as 10.0.3.0/24. Leave out scheme, port and path."
                )
            names.add(entry)
        return cls(frozenset(names), tuple(networks))

    def allow(self, host: str, address: str) -> bool:
        """Whether a host may be asked at this address."""
        reach = reach_of(address)
        if reach is Reach.PUBLIC:
            return True
        return reach in OPENABLE and (host in self.names or self._has(ip_address(address)))

    def _has(self, address: Address) -> bool:
        plain = _carried(address) or address if isinstance(address, IPv6Address) else address
        return any(plain.version == network.version and plain in network for network in self.networks)
