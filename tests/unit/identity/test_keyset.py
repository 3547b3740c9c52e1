"""Which keys of a provider's set are of use: a set may hold anything, and nothing in it stops the others."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from daybook.identity.keyset import KEYS_MAX, choose, public_keys
from tests.fixtures.examples import examples
from tests.fixtures.identity_provider import ec_key, jwk, rsa_key

ALLOWED = ("RS256", "ES256", "Ed25519")
GOOD = [jwk(rsa_key(0), "a"), jwk(ec_key(0), "b"), jwk(ed25519.Ed25519PrivateKey.generate(), "c")]
MEMBERS = ("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg", "key_ops", "d", "k")
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=50),
    st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "A" * 5000, "RS256", "HS256", "none"]),
    st.lists(st.sampled_from(["verify", "sign", 7])),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)


@examples(few=200, many=20_000)
@given(st.sampled_from(GOOD), st.dictionaries(st.sampled_from(MEMBERS), ODD, min_size=1, max_size=3))
def test_an_odd_key_is_left_out_or_of_use_and_the_others_stand(good: dict[str, Any], odd: dict[str, Any]) -> None:
    found = public_keys({"keys": [good | odd, *GOOD]}, ALLOWED)

    assert len(found) - len(GOOD) in (0, 1)
    assert [one.kid for one in found[-3:]] == ["a", "b", "c"]
    assert all(one.algorithms and one.algorithms <= set(ALLOWED) for one in found)
    assert not any(one.key.is_private for one in found)


@pytest.mark.parametrize(
    "document", [None, 7, [], {}, {"keys": {}}, {"keys": "x"}, {"keys": [GOOD[0]] * (KEYS_MAX + 1)}]
)
def test_what_is_no_set_of_keys_is_refused(document: object) -> None:
    with pytest.raises(ValueError):
        public_keys(document, ALLOWED)


def test_two_keys_with_one_id_are_told_apart_by_what_they_sign() -> None:
    found = public_keys({"keys": [jwk(rsa_key(0), "a"), jwk(ec_key(0), "a")]}, ALLOWED)

    assert [choose(found, "a", name) for name in ("RS256", "ES256", "Ed25519")] == [*found, None]
    assert choose(found, None, "ES256") is found[1]
    assert choose(public_keys({"keys": [GOOD[0], jwk(rsa_key(5), "z")]}, ALLOWED), None, "RS256") is None


def test_a_key_that_names_its_algorithm_signs_in_no_other_way() -> None:
    (found,) = public_keys({"keys": [jwk(rsa_key(0), "a", alg="RS256")]}, ("RS256", "PS256"))

    assert found.algorithms == {"RS256"}
    assert public_keys({"keys": [jwk(rsa_key(0), "a", alg="PS256")]}, ("RS256",)) == ()
    assert [one.algorithms for one in public_keys({"keys": [GOOD[2] | {"alg": "EdDSA"}]}, ALLOWED)] == [{"Ed25519"}]
