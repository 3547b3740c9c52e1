"""Addresses of servers, with the passwords in them: checked before anybody uses them, and shown without.

Hazard: a `#`, `/`, `?` or `@` in a password that is not percent-encoded makes another address of it, and each library
reads that one in its own way: it waits for a host that there is not, or tells a part of the password in its error.
"""

import re
from urllib.parse import unquote

import msgspec

from daybook.errors import BadConfiguration

# `scheme://user:secret@`, also among several servers; the user of a NATS URL that has no colon, which is a token; a
# keyword `password=`, quoted or not. A port after a host is no secret: nothing with an @ follows it.
_SECRETS = (
    re.compile(r"(://[^:/?#@\s,]*:)[^/?#\s,]+(?=@)"),
    re.compile(r"((?:nats|tls|wss?)://)[^:/?#@\s,]+(?=@)"),
    re.compile(r"(\w*password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s]+)"),
)
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^@/?#\s]*)@)?(?P<host>[^@/?#\s]*)(?P<rest>.*)", re.DOTALL
)
_USER = re.compile(r"(?:[^%\[\]]|%[0-9A-Fa-f]{2})*")
_HOST = re.compile(r"(?:[^:,\[\]]*|\[[0-9A-Fa-f:.%]+\])(?::[0-9]{1,5})?", re.ASCII)
_QUERY = re.compile(r"(?:/[^?#@]*)?(?:\?(?:[\w.-]+=[^&#]*&?)*)?", re.ASCII)
NATS_SCHEMES = ("nats", "tls", "ws", "wss")
POSTGRES_SCHEMES = ("postgresql", "postgres")


class NatsServers(msgspec.Struct, frozen=True, kw_only=True):
    """One or more servers of one NATS, and how to introduce oneself. Never shown: `mask` is for that."""

    urls: tuple[str, ...]
    """Without what is secret."""
    user: str | None = None
    password: str | None = None
    token: str | None = None


def mask(text: str | None) -> str | None:
    """The same address, or text about one, with its password hidden."""
    for secret in _SECRETS:
        text = text and secret.sub(r"\1********", text)
    return text


def check_postgres(variable: str, address: str) -> None:
    """Raises BadConfiguration for an address that is read otherwise than it was meant; not for `keyword=value`."""
    if "://" in address:
        _parts(variable, address, POSTGRES_SCHEMES)


def nats_servers(variable: str, addresses: str) -> NatsServers:
    """The servers of `nats://user:password@host:port`, one or several behind commas. Raises BadConfiguration."""
    urls, user = [], ""
    several = addresses.split(",")
    for address in several:
        if "@" in address and "://" not in address and len(several) > 1:
            raise _unreadable(variable)  # rather a comma in a password than another server
        found = _parts(variable, address if "://" in address else f"nats://{address}", NATS_SCHEMES)
        urls.append(f"{found['scheme']}://{found['host']}{found['rest'] or ''}")
        user = user or found["user"] or ""
    name, colon, secret = user.partition(":")
    if not colon:
        return NatsServers(urls=tuple(urls), token=unquote(name) or None)
    return NatsServers(urls=tuple(urls), user=unquote(name), password=unquote(secret))


def _parts(variable: str, address: str, schemes: tuple[str, ...]) -> dict[str, str | None]:
    """The parts of an address. What is wrong is told without any of it, as it may be a part of the password."""
    found = _URL.fullmatch(address.strip())
    if found is None or found["scheme"] not in schemes:
        if address.strip().partition("://")[0] in schemes:
            raise _unreadable(variable)
        raise BadConfiguration(f"{variable} must begin with {schemes[0]}://", field=variable)
    hosts = found["host"].split(",")
    plain = all(_HOST.fullmatch(host) for host in hosts) and _USER.fullmatch(found["user"] or "")
    if found["scheme"] in NATS_SCHEMES and not found["host"].partition(":")[0]:
        raise BadConfiguration(f"{variable} names no host", field=variable)
    if not plain or not _QUERY.fullmatch(found["rest"]):
        raise _unreadable(variable)
    return found.groupdict()


def _unreadable(variable: str) -> BadConfiguration:
    return BadConfiguration(
        f"{variable} can't be read as scheme://user:password@host:port/…: in a password, what has a meaning in an "
        "address must be percent-encoded (@ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25, a space as %20, "
        "a comma as %2C)",
        field=variable,
    )
