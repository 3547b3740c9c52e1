"""Where a webhook may connect to: the public internet, and private networks only when that was asked for.

The URL of an endpoint is typed by somebody, and its name is resolved by somebody else's server. Without a guard either
could make Daybook send requests into the network it runs in, or to a cloud's metadata service.
"""

import errno
import ipaddress
import socket
from collections.abc import Iterable

import aiohttp
from aiohttp.abc import AbstractResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


METADATA = _networks("169.254.0.0/16", "fe80::/10", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128")
"""Link-local, and the clouds' metadata services that are elsewhere (Azure, Alibaba, AWS over IPv6)."""
NOWHERE = _networks("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8")
"""No single host: unspecified (which Linux takes for itself), multicast, reserved, broadcast."""
PRIVATE = _networks(
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
)
SPECIAL = _networks(
    *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
)
"""IANA's special-purpose registries: documentation, benchmarks, and tunnels that hide an IPv4 address."""
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out to the public."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network without IPv4 reaches it: the last 32 bits are the address that counts."""


def forbidden(address: str, private_allowed: bool = False) -> str | None:
    """Why nothing is sent to this IP address, or None when it may be.

    Addresses of Daybook's own network can be allowed; metadata services and what is no single host never.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else ip)
    if _in(ip, METADATA):
        return f"{address} is link-local or a metadata service"
    if _in(ip, NOWHERE):
        return f"{address} is no single host"
    if _in(ip, PRIVATE):
        return None if private_allowed else f"{address} is in a private network, and allow_private is not set"
    if _in(ip, SPECIAL) or (isinstance(ip, ipaddress.IPv6Address) and ip not in GLOBAL_V6):
        return f"{address} is no public address"
    return None


def guarded(
    private_allowed: bool, in_flight_max: int, resolver: AbstractResolver | None = None
) -> aiohttp.TCPConnector:
    """A pool that connects to allowed addresses only. To be made inside the running loop.

    Hazard: a name that is looked up, checked and then connected to by name may have another address the second time.
    So the check is here, where the very address that is about to be connected to is known; it also covers URLs that
    hold an IP address, which no resolver sees. Of several addresses, those that are allowed are used.
    """

    def checked(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        reason = forbidden(str(address[0]), private_allowed)
        if reason is not None:
            raise PermissionError(errno.EACCES, f"not connected: {reason}")
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(limit=in_flight_max, resolver=resolver, socket_factory=checked)


def _in(ip: Address, networks: Iterable[Network]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)
