"""Bearer tokens of an identity provider: which are believed, which are not, and how often it is asked for its keys."""

import asyncio
import base64
import json
import ssl
import string
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import Unauthenticated, Unavailable
from daybook.identity.bearer import BearerTokens
from daybook.identity.keyset import choose, public_keys
from daybook.identity.provider import AGAIN_SECONDS, FRESH_SECONDS, TRUSTED_SECONDS, Provider
from daybook.identity.token import TOKEN_LENGTH_MAX, check_algorithm, check_claims, check_signature, take_apart
from daybook.oidc_settings import OidcProvider
from tests.fixtures.examples import examples
from tests.fixtures.identity_provider import (
    AUDIENCE,
    SUBJECT,
    IdentityProvider,
    Signer,
    b64,
    ec_key,
    identity_provider,
    jwk,
    jwt,
    pem,
    rsa_key,
)

JWKS, DISCOVERY = "/jwks", "/.well-known/openid-configuration"


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


def settings(issuer: IdentityProvider, **more: Any) -> OidcProvider:
    return OidcProvider(name="main", issuer=issuer.issuer, **{"audiences": (AUDIENCE,), **more})


def tokens(issuer: IdentityProvider, clock: Clock | None = None, **more: Any) -> BearerTokens:
    found = BearerTokens([settings(issuer, **more)])
    if clock is not None:
        found.providers = {issuer.issuer: Provider(settings(issuer, **more), clock)}
    return found


async def reason(checked: Awaitable[Any]) -> str:
    """The class of the reason for which a token is refused."""
    with pytest.raises(Unauthenticated) as caught:
        await checked
    return str(caught.value.details["reason"])


async def test_a_token_of_the_issuer_says_whom_it_is_about(issuer: IdentityProvider) -> None:
    checks = tokens(issuer)

    found = await checks.subject(issuer.token())

    assert (found.issuer, found.subject) == (issuer.issuer, SUBJECT)
    assert (await checks.subject(issuer.token(aud=["x", AUDIENCE], nbf=time.time() - 1, typ=None))).subject == SUBJECT
    assert (await checks.subject(issuer.token(header={"x-odd": [1], "typ": "JWT"}))).subject == SUBJECT
    assert issuer.asked == {DISCOVERY: 1, JWKS: 1}


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "Ed25519"])
async def test_each_allowed_algorithm_is_checked_with_its_kind_of_key(issuer: IdentityProvider, algorithm: str) -> None:
    keys: dict[str, Signer] = {"PS256": rsa_key(7), "ES256": ec_key(7), "Ed25519": ed25519.Ed25519PrivateKey.generate()}
    issuer.rotate("odd", keys[algorithm])
    signed = issuer.token(header={"alg": algorithm})

    assert (await tokens(issuer, algorithms=("RS256", algorithm)).subject(signed)).subject == SUBJECT
    assert await reason(tokens(issuer, algorithms=("RS256",)).subject(signed)) == "wrong_algorithm"


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another audience": ({"aud": "shop"}, "wrong_audience"),
    "a part of the audience": ({"aud": AUDIENCE[:-1]}, "wrong_audience"),
    "audiences of another type": ({"aud": [1, {"a": AUDIENCE}]}, "wrong_audience"),
    "no audience": ({"aud": None}, "wrong_audience"),
    "another issuer": ({"iss": "https://evil.example"}, "wrong_issuer"),
    "no issuer": ({"iss": None}, "wrong_issuer"),
    "an issuer of another type": ({"iss": ["x"]}, "wrong_issuer"),
    "expired": ({"exp": 1}, "expired"),
    "never ending": ({"exp": None}, "malformed"),
    "ending as text": ({"exp": "9999999999"}, "malformed"),
    "ending as a switch": ({"exp": True}, "malformed"),
    "ending after the sun": ({"exp": 1e30}, "malformed"),
    "not yet": ({"nbf": time.time() + 3600}, "not_yet"),
    "from the future": ({"iat": time.time() + 3600}, "not_yet"),
    "about nobody": ({"sub": None}, "malformed"),
    "about an empty name": ({"sub": ""}, "malformed"),
    "about a number": ({"sub": 7}, "malformed"),
    "about too long a name": ({"sub": "x" * 256}, "malformed"),
    "bound to a key": ({"cnf": {"jkt": "0ZcOCORZNYy"}}, "bound"),
}


async def test_a_token_that_is_not_for_us_or_not_for_now_is_refused_for_its_reason(issuer: IdentityProvider) -> None:
    checks = tokens(issuer)

    found = {name: await reason(checks.subject(issuer.token(**claims))) for name, (claims, _) in CLAIMS.items()}

    assert found == {name: expected for name, (_, expected) in CLAIMS.items()}


async def test_the_clocks_may_differ_by_the_leeway_and_no_more(issuer: IdentityProvider) -> None:
    checks, now = tokens(issuer, leeway=30), 2_000_000_000.0
    checks._wall = lambda: now

    assert (await checks.subject(issuer.token(iat=now + 29, exp=now - 29))).subject == SUBJECT
    assert await reason(checks.subject(issuer.token(exp=now - 30))) == "expired"
    assert await reason(checks.subject(issuer.token(iat=now, nbf=now + 31, exp=now + 60))) == "not_yet"


async def test_no_signature_but_the_issuers_own_is_believed(issuer: IdentityProvider) -> None:
    checks, key = tokens(issuer), issuer.signing["k0"]
    assert isinstance(key, type(rsa_key(0)))
    stranger, published = rsa_key(9), pem(key)
    head, claims, signed = issuer.token().split(".")
    other = b64(json.dumps({"iss": issuer.issuer, "sub": "admin", "aud": AUDIENCE, "exp": time.time() + 60}).encode())
    forged = {
        "signed by nobody": issuer.token(header={"alg": "none"}),
        "signed by nobody, in capitals": issuer.token(header={"alg": "none"}).replace(
            b64(b'{"alg": "none"'), b64(b'{"alg": "nOnE"')
        ),
        "signed with the public key as text": issuer.token(header={"alg": "HS256"}, key=published),
        "signed with the modulus": issuer.token(header={"alg": "HS256"}, key=b64(b"x").encode()),
        "signed by a stranger": issuer.token(key=stranger),
        "a key in its header": issuer.token(header={"jwk": jwk(stranger, "k0")}, key=stranger),
        "an address of keys in its header": issuer.token(header={"jku": f"{issuer.issuer}/evil"}, key=stranger),
        "certificates in its header": issuer.token(header={"x5u": f"{issuer.issuer}/evil"}, key=stranger),
        "other claims": f"{head}.{other}.{signed}",
        "no signature": f"{head}.{claims}.",
        "half a signature": f"{head}.{claims}.{signed[:100]}",
        "more than its signature": f"{head}.{claims}.{signed}{signed}",
    }
    expected = dict.fromkeys(forged, "bad_signature") | {
        name: "wrong_algorithm" for name in forged if "nobody" in name or "public key" in name or "modulus" in name
    }

    assert {name: await reason(checks.subject(text)) for name, text in forged.items()} == expected
    assert "/evil" not in issuer.asked


async def test_a_key_id_only_chooses_among_the_keys_of_the_issuer(issuer: IdentityProvider) -> None:
    checks = tokens(issuer, Clock())
    await checks.subject(issuer.token())
    for kid in ("k1", "../../../../dev/null", "k0\x00", "k0' OR 1=1", "https://evil.example/jwks", "", "K0"):
        assert await reason(checks.subject(issuer.token(header={"kid": kid}))) == "unknown_key", kid
    assert await reason(checks.subject(issuer.token(header={"kid": ["k0"]}))) == "malformed"
    assert issuer.asked == {DISCOVERY: 1, JWKS: 1}
    # Without an id, the only key there is for the algorithm; with two, nobody guesses.
    assert (await checks.subject(issuer.token(header={"kid": None}))).subject == SUBJECT


async def test_of_two_keys_a_token_must_name_one(issuer: IdentityProvider) -> None:
    issuer.rotate("k5", rsa_key(5))
    checks = tokens(issuer)

    assert (await checks.subject(issuer.token())).subject == SUBJECT
    assert await reason(checks.subject(issuer.token(header={"kid": None}))) == "unknown_key"


def parts(header: bytes, claims: bytes = b"{}") -> str:
    return f"{b64(header)}.{b64(claims)}.x"


RS256 = b'{"alg":"RS256"}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d.e",
        "eyJhbGciOiJSUzI1NiJ9.e30",
        parts(b"{}"),
        parts(b"[]"),
        parts(b"7"),
        parts(b"null"),
        parts(b'{"alg":7}'),
        parts(RS256, b"[]"),
        parts(RS256, b'{"exp":NaN}'),
        parts(b'{"alg":"RS256","typ":7}'),
        parts(b'{"alg":"RS256","crit":["exp"],"exp":1}'),
        parts(b'{"alg":"RS256","crit":["b64"],"b64":false}'),
        parts(b"[" * 3000),
        parts(b'{"alg":"RS256","a":' + b"[" * 2900),
        parts(RS256, b"[" * 10000),
        parts(RS256, bytes(range(256))),
        f"{b64(RS256)}.éé.x",
        "\ud800.\udfff.x",
        "x" * 100_000,
        "." * 100_000,
    ],
    ids=lambda text: text[:30].encode("ascii", "backslashreplace").decode(),
)
async def test_what_is_no_token_is_refused_and_nobody_is_asked(issuer: IdentityProvider, text: str) -> None:
    assert await reason(tokens(issuer).subject(text)) == "malformed"
    assert not issuer.asked


async def test_a_huge_token_is_refused_before_it_is_read(issuer: IdentityProvider) -> None:
    checks = tokens(issuer)
    assert await reason(checks.subject(issuer.token(padding="x" * TOKEN_LENGTH_MAX))) == "malformed"
    assert (await checks.subject(issuer.token(padding="x" * (TOKEN_LENGTH_MAX // 2)))).subject == SUBJECT


async def test_a_token_for_another_end_is_refused_by_its_type(issuer: IdentityProvider) -> None:
    checks = tokens(issuer)
    for typ in ("logout+jwt", "secevent+jwt", "dpop+jwt", "JOSE"):
        assert await reason(checks.subject(issuer.token(header={"typ": typ}))) == "wrong_type"
    assert (await checks.subject(issuer.token(header={"typ": None}))).subject == SUBJECT


async def test_two_issuers_vouch_each_for_its_own_subjects_alone(issuer: IdentityProvider) -> None:
    with identity_provider(1) as other:
        other.signing = {"k0": rsa_key(1)}
        other.kid = "k0"
        checks = BearerTokens([settings(issuer), OidcProvider(name="b", issuer=other.issuer, audiences=("b",))])

        assert (await checks.subject(issuer.token())).issuer == issuer.issuer
        assert (await checks.subject(other.token(aud="b"))).issuer == other.issuer
        # Signed by one in the name of the other, and with the audience of the other.
        assert await reason(checks.subject(other.token(iss=issuer.issuer))) == "bad_signature"
        assert await reason(checks.subject(other.token(aud=AUDIENCE))) == "wrong_audience"
        assert await reason(checks.subject(issuer.token(iss=f"{issuer.issuer}/"))) == "wrong_issuer"


async def test_a_flood_of_unknown_keys_makes_nobody_ask_the_issuer_more_than_once_a_minute(
    issuer: IdentityProvider,
) -> None:
    clock = Clock()
    checks = tokens(issuer, clock)
    flood = [issuer.token(header={"kid": f"x{number}"}, key=rsa_key(9)) for number in range(20)]

    async def try_all() -> None:
        found = await asyncio.gather(*(reason(checks.subject(text)) for text in flood))
        assert set(found) == {"unknown_key"}

    for minute in range(1, 4):
        await try_all()
        await try_all()
        assert issuer.asked[JWKS] == minute
        clock.now += AGAIN_SECONDS


async def test_a_new_key_of_the_issuer_is_taken_and_a_withdrawn_one_no_longer(issuer: IdentityProvider) -> None:
    clock = Clock()
    checks = tokens(issuer, clock)
    old = issuer.token(jti="1")
    await checks.subject(old)
    issuer.rotate("k2", rsa_key(2), keep=False)
    clock.now += AGAIN_SECONDS

    assert (await checks.subject(issuer.token())).subject == SUBJECT
    checks._known.clear()
    assert await reason(checks.subject(old)) == "unknown_key"


async def test_a_dead_issuer_stops_nobody_whose_key_is_known(issuer: IdentityProvider) -> None:
    clock = Clock()
    checks = tokens(issuer, clock)
    await checks.subject(issuer.token())
    issuer.hangs.clear()
    clock.now += FRESH_SECONDS + 1

    async with asyncio.timeout(3):  # it hangs for longer
        for number in range(5):
            assert (await checks.subject(issuer.token(jti=str(number)))).subject == SUBJECT
    issuer.away = True
    issuer.hangs.set()
    clock.now += TRUSTED_SECONDS / 2
    assert (await checks.subject(issuer.token(jti="later"))).subject == SUBJECT
    clock.now += TRUSTED_SECONDS
    with pytest.raises(Unavailable):
        await checks.subject(issuer.token(jti="much later"))
    issuer.away = False
    clock.now += AGAIN_SECONDS
    assert (await checks.subject(issuer.token(jti="much later"))).subject == SUBJECT


async def test_an_issuer_that_was_never_there_is_no_reason_to_believe_anybody(issuer: IdentityProvider) -> None:
    clock, issuer.away = Clock(), True
    checks = tokens(issuer, clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await checks.subject(issuer.token())
    assert issuer.asked == {DISCOVERY: 1}


STRANGE: dict[str, Callable[[IdentityProvider], None]] = {
    "is no JSON": lambda issuer: issuer.instead.update({JWKS: b"<html>"}),
    "has no keys": lambda issuer: issuer.instead.update({JWKS: b"{}"}),
    "is too long": lambda issuer: issuer.instead.update({JWKS: b" " * 600_000}),
    "is compressed without end": lambda issuer: issuer.instead.update({JWKS: b"\x1f\x8b" + bytes(100)}),
    "has a thousand keys": lambda issuer: issuer.instead.update(
        {JWKS: json.dumps({"keys": [jwk(rsa_key(0), "k0")] * 1000}).encode()}
    ),
    "is another issuer's": lambda issuer: issuer.metadata.update(issuer="https://evil.example"),
    "is elsewhere without TLS": lambda issuer: issuer.metadata.update(jwks_uri="http://192.0.2.1/jwks"),
    "is a metadata service": lambda issuer: issuer.metadata.update(jwks_uri="https://169.254.169.254/jwks"),
    "is a file": lambda issuer: issuer.metadata.update(jwks_uri="file:///etc/passwd"),
    "is not said": lambda issuer: issuer.metadata.update(jwks_uri=None),
}


@pytest.mark.parametrize("what", STRANGE)
async def test_a_set_of_keys_is_not_believed_that(issuer: IdentityProvider, what: str) -> None:
    STRANGE[what](issuer)
    with pytest.raises(Unavailable):
        await tokens(issuer).subject(issuer.token())


async def test_keys_that_are_no_public_keys_for_signatures_are_left_out(issuer: IdentityProvider) -> None:
    good, shared = issuer.signing["k0"], base64.urlsafe_b64encode(b"a secret that is published").decode()
    private = jwk(good, "private") | {"d": "AQAB"}
    listed: list[Any] = [
        {"kty": "oct", "kid": "oct", "k": shared, "alg": "HS256"},
        {"kty": "oct", "kid": "k0", "k": shared},
        jwk(good, "enc", use="enc"),
        jwk(good, "other", alg="PS512"),
        jwk(good, "ops", key_ops=["sign"]),
        private,
        {"kty": "RSA", "kid": "broken", "n": "AQAB"},
        jwk(rsa_key(3, 1024), "short"),
        {"kty": "RSA", "kid": "endless", "n": "A" * 100_000, "e": "AQAB"},
        {"kty": "future", "kid": "future"},
        {"kty": ["RSA"], "kid": 7},
        "k0",
        jwk(good, "k0", use="sig", alg="RS256", x5c=["MIIB"]),
    ]
    issuer.instead[JWKS] = json.dumps({"keys": listed}).encode()
    checks = tokens(issuer, Clock(), algorithms=("RS256",))

    assert (await checks.subject(issuer.token())).subject == SUBJECT
    for kid in ("oct", "enc", "other", "ops", "private", "broken", "endless", "future"):
        assert await reason(checks.subject(issuer.token(header={"kid": kid}))) == "unknown_key", kid
    short = issuer.token(header={"kid": "short"}, key=rsa_key(3, 1024))
    assert await reason(checks.subject(short)) == "unknown_key"
    hmac = jwt(
        {"alg": "HS256", "kid": "oct"}, {"iss": issuer.issuer, "aud": AUDIENCE}, base64.urlsafe_b64decode(shared)
    )
    assert await reason(checks.subject(hmac)) == "wrong_algorithm"


async def test_a_provider_is_who_its_certificate_says_or_is_not_believed(tmp_path: Path) -> None:
    authority, stranger, ca = trustme.CA(), trustme.CA(), tmp_path / "ca.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with identity_provider(tls=context) as issuer:
        authority.cert_pem.write_to_path(ca)
        assert (await tokens(issuer, ca=ca).subject(issuer.token())).subject == SUBJECT
        stranger.cert_pem.write_to_path(ca)
        for found in (tokens(issuer, ca=ca), tokens(issuer)):
            with pytest.raises(Unavailable):
                await found.subject(issuer.token())
        # Nothing that such a provider names is asked over http, not even on this machine, unless it is here itself.
        assert issuer.asked[JWKS] == 1


@examples(few=60, many=5000)
@given(data=st.data())
def test_no_token_with_another_character_says_anything_else(data: st.DataObject) -> None:
    """But for the last bits of a part, which base64 leaves open."""
    text = _signed()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.=~ \x00é"))
    settings, key = OidcProvider(name="main", issuer=ISSUER, audiences=(AUDIENCE,)), jwk(rsa_key(0), "k0")
    (known,) = public_keys({"keys": [key]}, ("RS256",))
    try:
        token = take_apart(text[:at] + other + text[at + 1 :])
        check_algorithm(token, settings)
        found = check_claims(token, settings, settings.audiences, 1000.0)
        assert choose((known,), token.kid, token.algorithm) is known
        check_signature(token, known, settings)
    except (Unauthenticated, AssertionError):
        return
    assert (found.subject, found.expires_at) == (SUBJECT, 2000.0)


ISSUER = "https://id.example"


@cache
def _signed() -> str:
    claims = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": 2000}
    return jwt({"alg": "RS256", "kid": "k0"}, claims, rsa_key(0))


async def test_a_checked_token_is_known_by_its_hash_until_it_ends(issuer: IdentityProvider) -> None:
    checks, now = tokens(issuer), time.time()
    checks._wall = lambda: now
    text = issuer.token(exp=now + 10)
    await checks.subject(text)
    issuer.rotate("k2", rsa_key(2), keep=False)

    assert (await checks.subject(text)).subject == SUBJECT
    assert not any(text.encode() in name for name in checks._known)
    now += 41
    assert await reason(checks.subject(text)) == "expired"
