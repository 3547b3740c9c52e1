"""Identity providers that vouch for users (OpenID Connect), as the operator names them, and how long a login lasts."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from daybook.errors import BadConfiguration

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""Signatures that may be allowed. Of each only the provider has the key: with HS256 who checks could sign."""
DEFAULT_ALGORITHMS = ("RS256", "PS256", "ES256")
LEEWAY_SECONDS = 30
LEEWAY_SECONDS_MAX = 300
PROVIDERS_MAX = 20
KEYS = (
    "ISSUER",
    "AUDIENCE",
    "ALGORITHMS",
    "LEEWAY",
    "CA",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CLIENT_SECRET_FILE",
    "SCOPES",
)
"""Of the variables of one provider."""
_PREFIX = "DAYBOOK_OIDC_"
_VARIABLE = re.compile(rf"{_PREFIX}(?:(?P<name>[A-Z0-9]+)_)?(?P<key>{'|'.join(KEYS)})")
_ONLY = "main"
"""The name of the provider whose variables name none."""

Secret = Callable[[str], str | None]
"""What a variable says, or the file that the variable with _FILE behind it names."""


class OidcProvider(msgspec.Struct, frozen=True, kw_only=True):
    """One issuer of tokens, and what of it is believed."""

    name: str
    issuer: str
    """As it stands in `iss`, to the letter."""
    audiences: tuple[str, ...] = ()
    """One of these must be in `aud` of a bearer token; none: no bearer tokens of this issuer are taken."""
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    leeway: int = LEEWAY_SECONDS
    """So many seconds the two clocks may differ."""
    ca: Path | None = None
    """Certificates of those who may vouch for the issuer's server; the system's when there is none."""
    client_id: str | None = None
    """As what Daybook is known there, for logins with a browser; None: nobody logs in with it."""
    client_secret: str | None = None
    scopes: tuple[str, ...] = ("openid",)

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where TLS is not asked for."""
        return is_local(self.issuer)


def from_environment(environ: Mapping[str, str], secret: Secret) -> tuple[OidcProvider, ...]:
    """From DAYBOOK_OIDC_*, of one provider, and DAYBOOK_OIDC_<NAME>_*, of further ones. Raises BadConfiguration."""
    given: dict[str, dict[str, str]] = {}
    for variable, value in environ.items():
        found = _VARIABLE.fullmatch(variable)
        if found is None and variable.startswith(_PREFIX):
            # A misspelled one would leave a check out that somebody relies on.
            raise BadConfiguration(
                f"{variable} is no setting; there are {_PREFIX} and {_PREFIX}<NAME>_ with {', '.join(KEYS)}",
                field=variable,
            )
        if found and value.strip():
            given.setdefault(found["name"] or "", {})[found["key"]] = value.strip()
    providers = tuple(_provider(name, values, secret) for name, values in sorted(given.items()))
    issuers = [one.issuer for one in providers]
    if len(set(issuers)) < len(issuers):
        raise BadConfiguration("two providers of DAYBOOK_OIDC_… have the same issuer: name each once")
    if len(providers) > PROVIDERS_MAX:
        raise BadConfiguration(f"DAYBOOK_OIDC_… names {len(providers)} providers; there may be {PROVIDERS_MAX}")
    return providers


def is_local(url: str) -> bool:
    """Whether the address names this machine and nothing else."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(field: str, url: str) -> str:
    """The address of a server: https, or http on this machine. Raises BadConfiguration."""
    try:
        parts = urlsplit(url)
        wrong = (
            not parts.hostname or parts.port == 0 or parts.username is not None or bool(parts.query or parts.fragment)
        )
    except ValueError:
        parts, wrong = urlsplit(""), True
    if wrong or parts.scheme not in ("https", "http") or re.search(r"[^!-~]", url):
        raise BadConfiguration(
            f"{field} is {url[:200]!r}; it must be an address such as https://id.example", field=field
        )
    if parts.scheme == "http" and not is_local(url):
        raise BadConfiguration(
            f"{field} is {url[:200]!r}; only a server on this machine may be without TLS", field=field
        )
    return url


def _provider(name: str, given: Mapping[str, str], secret: Secret) -> OidcProvider:
    prefix = f"{_PREFIX}{name}_" if name else _PREFIX
    if "ISSUER" not in given:
        beside = f"{prefix}{next(iter(given))}"
        raise BadConfiguration(f"{beside} is set and {prefix}ISSUER is not: say whose tokens are taken", field=beside)
    client_secret = secret(f"{prefix}CLIENT_SECRET")
    if client_secret is not None and "CLIENT_ID" not in given:
        raise BadConfiguration(
            f"{prefix}CLIENT_SECRET is set and {prefix}CLIENT_ID is not: say as what Daybook is known there",
            field=f"{prefix}CLIENT_ID",
        )
    audiences = _listed(given.get("AUDIENCE", ""))
    if not audiences and "CLIENT_ID" not in given:
        raise BadConfiguration(
            f"{prefix}AUDIENCE is not set: a token for somebody else would be taken. Say what stands in `aud` of "
            f"tokens for Daybook, or, for logins alone, {prefix}CLIENT_ID",
            field=f"{prefix}AUDIENCE",
        )
    return OidcProvider(
        name=name.lower() or _ONLY,
        issuer=check_url(f"{prefix}ISSUER", given["ISSUER"]),
        audiences=audiences,
        algorithms=_algorithms(f"{prefix}ALGORITHMS", given.get("ALGORITHMS", "")),
        leeway=_leeway(f"{prefix}LEEWAY", given.get("LEEWAY", str(LEEWAY_SECONDS))),
        ca=_readable(f"{prefix}CA", given.get("CA")),
        client_id=given.get("CLIENT_ID"),
        client_secret=client_secret,
        scopes=tuple(dict.fromkeys(("openid", *given.get("SCOPES", "").split()))),
    )


def _readable(field: str, given: str | None) -> Path | None:
    if given is None:
        return None
    file = Path(given).expanduser()
    try:
        file.open("rb").close()
    except OSError as error:
        raise BadConfiguration(f"{field}: {file} can't be read: {error.strerror}", field=field) from None
    return file


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _algorithms(field: str, text: str) -> tuple[str, ...]:
    found = _listed(text) or DEFAULT_ALGORITHMS
    for one in found:
        if one not in ALGORITHMS:
            raise BadConfiguration(f"{field} has {one[:50]!r}; it must be some of {', '.join(ALGORITHMS)}", field=field)
    return found


def _leeway(field: str, text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or int(text) > LEEWAY_SECONDS_MAX:
        raise BadConfiguration(
            f"{field} is {text[:50]!r}; it must be seconds, from 0 to {LEEWAY_SECONDS_MAX}", field=field
        )
    return int(text)
