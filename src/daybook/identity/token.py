"""A signed token (JWT): taken apart, its signature checked, and its claims. Pure; nothing in it says how to check it.

Hazard: a token is written by whoever sends it until its signature is checked with a key of the issuer that the
operator named, by an algorithm that the operator allowed. So `jku`, `x5u`, `jwk` and `x5c` are never looked at, `kid`
only chooses among keys that are known, and `iss` only among issuers that are.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from daybook.errors import Unauthenticated
from daybook.identity.keyset import PublicKey
from daybook.oidc_settings import OidcProvider

TOKEN_LENGTH_MAX = 16_384
HEADER_LENGTH_MAX = 4096
SUBJECT_LENGTH_MAX = 255
"""OpenID Connect Core, section 2."""
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})
"""What `typ` may be: a token that was made for another end, such as a logout, says so there."""


class UncheckedToken(msgspec.Struct, frozen=True):
    """A token as somebody sends it: well formed, which says nothing about whether it is true."""

    signature: Any
    algorithm: str
    kid: str | None
    issuer: str | None
    claims: dict[str, Any]

    def __repr__(self) -> str:
        """Without what is in it."""
        return "UncheckedToken()"


class Subject(msgspec.Struct, frozen=True):
    """Whom an issuer vouches for, and until when."""

    issuer: str
    subject: str
    expires_at: float
    """In seconds since 1970, as the issuer said it."""
    claims: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        """Without the claims, which may name a person."""
        return f"Subject({self.issuer})"


def refused(reason: str, message: str) -> Unauthenticated:
    """The error for a token that is not taken; `reason` is its class, for a program to read."""
    return Unauthenticated(message, reason=reason)


def take_apart(text: str) -> UncheckedToken:
    """The parts of a token. Raises Unauthenticated for what is none."""
    if len(text) > TOKEN_LENGTH_MAX:
        raise refused("malformed", f"the token has {len(text):,} characters; at most {TOKEN_LENGTH_MAX:,} are taken")
    try:
        found = jws.extract_compact(text.encode("ascii"), registry=_registry(()))
        header, claims = found.headers(), msgspec.json.decode(found.payload)
    except (JoseError, ValueError, TypeError, RecursionError, msgspec.DecodeError):
        raise refused("malformed", "the token is no signed JWT of three parts") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise refused("malformed", "the token is no signed JWT: its parts are no JSON objects")
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None) or not isinstance(typ, str):
        raise refused("malformed", "the token's header is malformed")
    if "crit" in header or "b64" in header:
        raise refused("malformed", "the token's header asks for what is not known here (`crit`)")
    if typ.lower() not in _TYPES:
        raise refused("wrong_type", "the token was made for something else (`typ`): send an access token")
    issuer = claims.get("iss")
    return UncheckedToken(found, algorithm, kid, issuer if isinstance(issuer, str) else None, claims)


def check_signature(token: UncheckedToken, key: PublicKey, provider: OidcProvider) -> None:
    """Raises Unauthenticated unless the key signed it, by an algorithm that the operator allows."""
    try:
        good = token.algorithm in provider.algorithms and jws.validate_compact(
            token.signature, key.key, registry=_registry(provider.algorithms)
        )
    except (JoseError, ValueError, TypeError):
        good = False
    if not good:
        raise refused("bad_signature", "the token's signature is not its issuer's")


def check_algorithm(token: UncheckedToken, provider: OidcProvider) -> None:
    """Raises Unauthenticated for an algorithm that the operator does not allow."""
    if token.algorithm not in provider.algorithms:
        raise refused(
            "wrong_algorithm",
            f"the token is not signed in a way that is allowed here: {', '.join(provider.algorithms)}",
        )


def check_claims(token: UncheckedToken, provider: OidcProvider, audiences: tuple[str, ...], now: float) -> Subject:
    """Whom the token is about. Raises Unauthenticated: not for us, not now, or about nobody."""
    claims, leeway = token.claims, provider.leeway
    if claims.get("iss") != provider.issuer:
        raise refused("wrong_issuer", "the token's issuer is none that is known here")
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not any(one in audiences for one in named if isinstance(one, str)):
        raise refused("wrong_audience", "the token is for somebody else (`aud`): ask your provider for one for Daybook")
    expires = _moment(claims, "exp")
    if expires is None:
        raise refused("malformed", "the token never ends: it has no `exp`")
    if now >= expires + leeway:
        raise refused("expired", "the token has expired: get a new one")
    for name in ("nbf", "iat"):
        begins = _moment(claims, name)
        if begins is not None and begins > now + leeway:
            raise refused("not_yet", f"the token does not hold yet (`{name}`): is one of the clocks wrong?")
    if "cnf" in claims:
        raise refused("bound", "the token is bound to a key of its owner, which is not checked here: get a plain one")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX:
        raise refused("malformed", "the token names nobody: it has no `sub`")
    return Subject(provider.issuer, subject, expires, claims)


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds since 1970. Raises Unauthenticated for what is no number."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise refused("malformed", f"the token's `{name}` is no time")
    return float(value)


def _registry(algorithms: tuple[str, ...]) -> jws.JWSRegistry:
    # Headers that nobody registered are common, and mean nothing to us.
    registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = HEADER_LENGTH_MAX
    registry.max_payload_length = registry.max_signature_length = TOKEN_LENGTH_MAX
    return registry
