"""Addresses of servers, with the passwords in them: checked before anybody uses them, and shown without.

Hazard: a `#`, `/`, `?` or `@` in a password that is not percent-encoded makes another address of it, and each library
reads that one in its own way: it waits for a host that there is not, or tells a part of the password in its error.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

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
_OPTIONS = re.compile(r"(?:[a-z]+=[^&?#@\s]*(?:&(?=.)|\Z))+", re.ASCII)
_INBOX_TOKEN = re.compile(r"[\w-]+", re.ASCII)
NATS_FILES = ("creds", "nkey", "ca", "cert", "key")
"""What an address may name files for: a `.creds` file, an nkey's seed, a CA, a certificate of one's own and its key."""
NATS_OPTIONS = (*NATS_FILES, "replicas", "inbox")
REPLICAS_MAX = 5
"""JetStream's own limit."""
NATS_SCHEMES = ("nats", "tls", "ws", "wss")
POSTGRES_SCHEMES = ("postgresql", "postgres")


class NatsServers(msgspec.Struct, frozen=True, kw_only=True):
    """One or more servers of one NATS, and how to introduce oneself. Never shown: `mask` is for that."""

    urls: tuple[str, ...]
    """Without what is secret."""
    user: str | None = None
    password: str | None = None
    token: str | None = None
    creds: str | None = None
    """A file with a user's JWT and the seed of its key, read anew for each connection."""
    nkey: str | None = None
    """A file with the seed of an nkey, read anew for each connection."""
    ca: str | None = None
    """A file with the certificates of those who may vouch for a server; those of the system when there is none."""
    cert: str | None = None
    key: str | None = None
    replicas: int | None = None
    """On how many servers the stream is kept, from 1 to 5; None for as it is."""
    inbox: str = "_INBOX"
    """Below which subject answers are awaited. A user's own, so that its permissions need not let it hear others'."""


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
    """The servers of `nats://user:password@host:port`, one or several behind commas, then `?name=value&…`.

    The names are those of NATS_OPTIONS. Raises BadConfiguration.
    """
    urls, user = [], ""
    places, mark, query = addresses.partition("?")
    if mark and not _OPTIONS.fullmatch(query):
        raise _unreadable(variable)
    options = _nats_options(variable, query)
    several = places.split(",")
    for address in several:
        if "@" in address and "://" not in address and len(several) > 1:
            raise _unreadable(variable)  # rather a comma in a password than another server
        found = _parts(variable, address if "://" in address else f"nats://{address}", NATS_SCHEMES)
        urls.append(f"{found['scheme']}://{found['host']}{found['rest'] or ''}")
        user = user or found["user"] or ""
    name, colon, secret = user.partition(":")
    if not colon:
        return NatsServers(urls=tuple(urls), token=unquote(name) or None, **options)
    if "inbox" not in options and _INBOX_TOKEN.fullmatch(unquote(name)):
        options["inbox"] = f"_INBOX.{unquote(name)}"
    return NatsServers(urls=tuple(urls), user=unquote(name), password=unquote(secret), **options)


def _nats_options(variable: str, query: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, _, value in (one.partition("=") for one in query.split("&") if one):
        if name not in NATS_OPTIONS:
            raise _unreadable(variable)  # it may be the rest of a password
        given[name] = unquote(value)
    if "replicas" in given:
        if not re.fullmatch("[0-9]", given["replicas"]) or not 1 <= int(given["replicas"]) <= REPLICAS_MAX:
            raise BadConfiguration(
                f"{variable}: replicas must be from 1 to {REPLICAS_MAX}: on how many servers the stream is kept",
                field=variable,
            )
        given["replicas"] = int(given["replicas"])
    if not all(_INBOX_TOKEN.fullmatch(token) for token in given.get("inbox", "_INBOX").split(".")):
        raise BadConfiguration(f"{variable}: inbox must be a subject without wildcards", field=variable)
    if ("cert" in given) != ("key" in given):
        raise BadConfiguration(f"{variable}: cert and key belong together; give both", field=variable)
    return given


def with_nats(
    variable: str, address: str, user: str | None, password: str | None, token: str | None, options: Mapping[str, str]
) -> str:
    """The address with what was given beside it. Raises BadConfiguration for what is said twice."""
    known = nats_servers(variable, address)
    twice = [name for name in options if f"{name}=" in address.partition("?")[2]]
    if ((user or password or token) and (known.user or known.token)) or twice:
        raise BadConfiguration(f"{variable} and a variable beside it both say {twice[0] if twice else 'who one is'}")
    if password and not user:
        raise BadConfiguration(f"{variable}_PASSWORD needs {variable}_USER", field=f"{variable}_USER")
    who = quote(token, safe="") if token else f"{quote(user, safe='')}:{quote(password or '', safe='')}" if user else ""
    places, _, query = address.partition("?")
    if who:
        places = ",".join(url.replace("://", f"://{who}@", 1) for url in known.urls)
    asked = "&".join(
        [*([query] if query else []), *(f"{name}={quote(one, safe='/')}" for name, one in options.items())]
    )
    whole = f"{places}?{asked}" if asked else places
    nats_servers(variable, whole)
    return whole


def with_postgres(address: str, user: str | None, password: str | None) -> str:
    """The address with what was given beside it, which wins over what is in it."""
    given = {name: one for name, one in (("user", user), ("password", password)) if one}
    if "://" in address:
        plain = "&".join(f"{name}={quote(one, safe='')}" for name, one in given.items())
        return address + ("" if not plain else f"&{plain}" if "?" in address else f"?{plain}")
    quoted = {name: one.replace("\\", "\\\\").replace("'", "\\'") for name, one in given.items()}
    return " ".join([address, *(f"{name}='{one}'" for name, one in quoted.items())])


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
