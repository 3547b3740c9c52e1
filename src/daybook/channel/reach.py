"""Where a connector's requests may go: the public internet over TLS, and elsewhere only as the operator said.

An address is typed by somebody, comes in a marketplace's answer, or is what somebody else's server makes of a name.
Without a guard each of them could make Daybook send requests, and credentials, into the network it runs in, or to a
cloud's metadata service.
"""

import errno
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Self
from urllib.parse import SplitResult, urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver

ALLOW_PRIVATE, ALLOW_HTTP = "allow_private", "allow_http"
SWITCHES: Mapping[str, str] = {
    ALLOW_PRIVATE: "`true` lets the channel be in a private network",
    ALLOW_HTTP: "`true` lets the channel be without TLS",
}
"""Settings that every channel has, for the operator alone."""

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


class NetworkReach(msgspec.Struct, frozen=True):
    """What one connector may connect to. Nothing said: public addresses, over TLS."""

    private: bool = False
    http: bool = False
    loopback: frozenset[int] = frozenset()
    """Ports of this machine, which the operator typed as an address of it: `http://127.0.0.1:8081`."""

    @classmethod
    def of(cls, given: Mapping[str, str], recorded: Iterable[str] = ()) -> Self:
        """From a channel's settings. Those that are `recorded` may have come by HTTP: they give no right."""
        own = {key: value for key, value in given.items() if key not in set(recorded)}
        ports = {port for value in own.values() if (port := _loopback_port(value)) is not None}
        return cls(is_true(own, ALLOW_PRIVATE), is_true(own, ALLOW_HTTP), frozenset(ports))

    def refusal(self, url: str) -> str | None:
        """Why no request goes to this address; None when it may, as far as the address alone tells."""
        parts = _parts(url)
        if parts is None or not parts.hostname:
            return "that is no address of the web"
        if parts.scheme == "http" and not self.http and _loopback_port(url) not in self.loopback:
            return f"it is not https, and {ALLOW_HTTP} is not set"
        return None if parts.scheme in ("http", "https") else "it is neither https nor http"

    def pool(self, in_flight_max: int, resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
        """A pool that connects to allowed addresses only. To be made inside the running loop.

        Hazard: a name that is looked up, checked and then connected to by name may have another address the second
        time. So the check is here, where the very address that is about to be connected to is known; it also covers
        URLs that hold an IP address, which no resolver sees. Of several addresses, those that are allowed are used.
        """

        def checked(info: aiohttp.AddrInfoType) -> socket.socket:
            family, kind, protocol, _, address = info
            here = _loopback(str(address[0])) and int(address[1]) in self.loopback
            reason = None if here else forbidden(str(address[0]), self.private)
            if reason is not None:
                raise PermissionError(errno.EACCES, f"not connected: {reason}")
            return socket.socket(family, kind, protocol)

        return aiohttp.TCPConnector(limit=in_flight_max, resolver=resolver, socket_factory=checked)


CREDENTIAL = re.compile(
    r"secret|token|passw|passphrase|pwd|credential|bearer|signature|apikey|accesskey"
    r"|(^|[_-])(key|pass|auth|sig|pat)([_-]|$)"
)
"""In the name of a setting, or of a parameter: its value is one."""
SECRET_LENGTH_MIN = 8
"""Of what is looked for in texts: shorter ones stand in every second word."""
HIDDEN = "********"


def secrets_of(given: Mapping[str, str]) -> tuple[str, ...]:
    """The values of a channel's settings that nobody may be shown."""
    found = (
        part
        for key, value in given.items()
        if CREDENTIAL.search(key.lower()) and "://" not in value
        for part in (value, *value.split())
    )
    return tuple(dict.fromkeys(one for one in found if len(one) >= SECRET_LENGTH_MIN))


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret hidden: a server may repeat what it was sent, and answers are shown and kept."""
    for one in secrets:
        if one in text:
            text = text.replace(one, HIDDEN)
    return text


hidden: ContextVar[tuple[str, ...]] = ContextVar("hidden", default=())
"""While a connector is made, its secrets: every client that it makes then knows them from here."""
connecting: ContextVar[NetworkReach | None] = ContextVar("connecting", default=None)
"""While a connector is made, what it may reach: every client that it makes then has it from here."""


def is_true(settings: Mapping[str, str], key: str) -> bool:
    """Whether a switch is on."""
    return settings.get(key, "").lower() == "true"


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def _loopback_port(url: str) -> int | None:
    """The port of an address that names this machine and nothing else."""
    parts = _parts(url) if "://" in url else None
    if parts is None or not parts.hostname or not (parts.hostname == "localhost" or _loopback(parts.hostname)):
        return None
    return parts.port or (443 if parts.scheme == "https" else 80)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in(ip: Address, networks: Iterable[Network]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)
