"""What the HTTP edge lets in, as its operator sets it: hosts, proxies, origins, limits, certificates."""

import ipaddress
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from daybook import limits
from daybook.errors import BadConfiguration

_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\.?|\*|\[[0-9a-f:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"https?://[^/?#\s,]+", re.ASCII)
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?",
    re.ASCII | re.IGNORECASE,
)
HIGHEST = 1_000_000


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit is one process's own."""

    hosts: tuple[str, ...] = ()
    """Names by which clients address the API, besides those of this machine; `*.shop.example`, or `*` for any."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    origins: tuple[str, ...] = ()
    """Origins whose pages a browser lets call the API; none means no CORS at all."""
    rate: int = 1000
    """Requests a second that one address may send, for long; twice as many at once."""
    concurrent: int = 100
    """Requests of one address that may be under way; all addresses together four times as many."""
    connections: int = 4000
    """Connections at once, as far as the system gives files; one address at most half of them."""
    address: str | None = None
    """The origin by which browsers reach us, `https://catalogue.example`; None: nobody logs in with one."""
    session_hours: int = 12
    """So long a login holds at most."""
    session_idle_minutes: int = 60
    """So long it holds while nobody uses it."""
    body_bytes: int = limits.BODY.most
    """Of the body of a request."""
    tls_cert: Path | None = None
    """Certificate chain, PEM. With it the API speaks TLS and nothing else."""
    tls_key: Path | None = None
    """Its private key, PEM, without a passphrase."""

    @property
    def own_hosts(self) -> tuple[str, ...]:
        """`hosts`, and the one of `address`."""
        found = _ADDRESS.fullmatch(self.address or "")
        return self.hosts if found is None else (*self.hosts, found["host"])

    @property
    def scheme(self) -> str:
        """How the API is addressed."""
        return "http" if self.tls_cert is None else "https"


def from_environment(environ: Mapping[str, str]) -> HttpSettings:
    """From DAYBOOK_HTTP_* and DAYBOOK_TLS_*. Raises BadConfiguration naming the variable."""
    cert, key = (environ.get(name) for name in ("DAYBOOK_TLS_CERT", "DAYBOOK_TLS_KEY"))
    if bool(cert) != bool(key):
        missing = "DAYBOOK_TLS_KEY" if cert else "DAYBOOK_TLS_CERT"
        raise BadConfiguration(f"{missing} is not set: TLS takes a certificate and its key", field=missing)
    return HttpSettings(
        hosts=tuple(_listed(environ, "DAYBOOK_HTTP_HOSTS", _host)),
        proxies=tuple(_listed(environ, "DAYBOOK_HTTP_PROXIES", _network)),
        origins=tuple(_listed(environ, "DAYBOOK_HTTP_ORIGINS", _origin)),
        address=_address(environ.get("DAYBOOK_HTTP_ADDRESS", "").strip()),
        session_hours=_number(environ, "DAYBOOK_SESSION_HOURS", 12, 24 * 30),
        session_idle_minutes=_number(environ, "DAYBOOK_SESSION_IDLE_MINUTES", 60, 24 * 60),
        rate=_number(environ, "DAYBOOK_HTTP_RATE", 1000, HIGHEST),
        concurrent=_number(environ, "DAYBOOK_HTTP_CONCURRENT", 100, HIGHEST),
        connections=_number(environ, "DAYBOOK_HTTP_CONNECTIONS", 4000, HIGHEST),
        body_bytes=_number(environ, "DAYBOOK_HTTP_BODY", limits.BODY.most, limits.BODY.most),
        tls_cert=Path(cert).expanduser() if cert else None,
        tls_key=_private(Path(key).expanduser()) if key else None,
    )


def _listed(environ: Mapping[str, str], name: str, check: Callable[[str, str], str]) -> list[str]:
    found = [one.strip() for one in environ.get(name, "").split(",") if one.strip()]
    return [check(name, one) for one in found]


def _host(name: str, given: str) -> str:
    if not _HOST.fullmatch(given.lower()):
        raise BadConfiguration(
            f"{name} has {given[:100]!r}: it must be host names without port, such as shop.example", field=name
        )
    return given.lower().rstrip(".")


def _network(name: str, given: str) -> str:
    try:
        return str(ipaddress.ip_network(given))
    except ValueError:
        raise BadConfiguration(
            f"{name} has {given[:100]!r}: it must be addresses or networks, such as 10.0.0.0/8", field=name
        ) from None


def _origin(name: str, given: str) -> str:
    if not _ORIGIN.fullmatch(given):
        raise BadConfiguration(
            f"{name} has {given[:100]!r}: it must be origins such as https://console.example", field=name
        )
    return given


def _address(given: str) -> str | None:
    """An origin. Browsers keep the cookie of a login over https alone, and over http on their own machine."""
    if not given:
        return None
    found = _ADDRESS.fullmatch(given)
    if found is None or (found["scheme"].lower() == "http" and not _here(found["host"])):
        raise BadConfiguration(
            f"DAYBOOK_HTTP_ADDRESS is {given[:100]!r}: it must be the origin by which browsers reach the API, such as "
            "https://catalogue.example, without a path",
            field="DAYBOOK_HTTP_ADDRESS",
        )
    default = ":443" if found["scheme"].lower() == "https" else ":80"
    return given.lower().removesuffix(default)  # as browsers write it in Origin


def _here(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    given = environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,9}", given) or not 1 <= int(given) <= most:
        raise BadConfiguration(f"{name} is {given[:100]!r}; it must be a number from 1 to {most}", field=name)
    return int(given)


def _private(file: Path) -> Path:
    """The key's file, which nobody else may read: a key that all the machine has proves nothing."""
    if os.name != "nt" and file.exists() and file.stat().st_mode & stat.S_IROTH:
        raise BadConfiguration(f"{file} can be read by everybody here: `chmod 600 {file}`", field="DAYBOOK_TLS_KEY")
    return file
