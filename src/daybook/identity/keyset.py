"""The public keys of an issuer: read from its JWK Set, and chosen for a token. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import DictKey, ECKey, Key, OKPKey, RSAKey

KEYS_MAX = 200
RSA_BITS_MIN = 2048
RSA_BITS_MAX = 16_384
_TYPES: Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
"""No `oct`: a key that checks what it also signs is no public key, and one that is published is anybody's."""
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_TAKEN = frozenset({"kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"})
_OF_CURVE = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "Ed25519",
}


class PublicKey(msgspec.Struct, frozen=True):
    """A key that checks signatures of some algorithms."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key


def public_keys(document: object, allowed: Iterable[str]) -> tuple[PublicKey, ...]:
    """The keys of a JWK Set that check signatures of an allowed algorithm. What can't be used is left out.

    A set may hold keys for other ends, and of kinds that came after us. Raises ValueError for what is no JWK Set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it has no `keys`")
    if len(listed) > KEYS_MAX:
        raise ValueError(f"it has more than {KEYS_MAX} keys")
    found = (_public_key(one, frozenset(allowed)) for one in listed if isinstance(one, dict))
    return tuple(one for one in found if one is not None)


def choose(keys: Iterable[PublicKey], kid: str | None, algorithm: str) -> PublicKey | None:
    """The key that a token names; of one that names none, the only key that there is for its algorithm.

    Two keys with one id are told apart by what they sign, as OpenID Connect Core, 10.1, asks for.
    """
    fitting = [one for one in keys if algorithm in one.algorithms and (kid is None or one.kid == kid)]
    return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None


def _public_key(given: Mapping[str, Any], allowed: frozenset[str]) -> PublicKey | None:
    kind = _TYPES.get(str(given.get("kty")))
    operations = given.get("key_ops")
    if (
        kind is None
        or not _PRIVATE.isdisjoint(given)
        or given.get("use", "sig") != "sig"
        or (operations is not None and not (isinstance(operations, list) and "verify" in operations))
    ):
        return None
    algorithms = _signs(given) & allowed
    kid = given.get("kid")
    if not algorithms or not (kid is None or isinstance(kid, str)):
        return None
    try:
        plain = {name: value for name, value in given.items() if name in _TAKEN}
        return PublicKey(kid, algorithms, kind.import_key(cast(DictKey, plain)))
    except (JoseError, ValueError, TypeError):
        return None


def _signs(given: Mapping[str, Any]) -> frozenset[str]:
    """The algorithms that the key may check: those of its type, and only the one that it names when it names one."""
    if given["kty"] == "RSA":
        found = _RSA if RSA_BITS_MIN <= _bits(given.get("n")) <= RSA_BITS_MAX else frozenset()
    else:
        curve = (given["kty"], str(given.get("crv")))
        found = frozenset({_OF_CURVE[curve]} if curve in _OF_CURVE else ())
    named = given.get("alg")
    if named is None:
        return found
    return found & {named if named != "EdDSA" else "Ed25519"} if isinstance(named, str) else frozenset()


_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})


def _bits(modulus: object) -> int:
    """How long a base64url number is, to a few bits: short keys are broken, and endless ones take endless time."""
    return len(modulus.rstrip("=")) * 6 if isinstance(modulus, str) else 0
