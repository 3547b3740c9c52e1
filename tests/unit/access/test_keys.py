"""The form of a key: made and read back, and a mistyped one is refused without a look-up."""

import re

from hypothesis import given
from hypothesis import strategies as st

from daybook.access.keys import LOOKS_LIKE_KEY, hash_of, matches, parse, spelled
from tests.fixtures.examples import examples

SECRET = bytes(range(32))
ID = "dbk_k3v7w2a5pq"


@examples(few=30, many=2000)
@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_back_and_only_its_secret_matches_its_hash(secret: bytes) -> None:
    key = spelled(ID, secret)
    shown = parse(key)
    assert shown is not None
    assert (shown.id, len(key)) == (ID, 14 + 1 + 43 + 6)
    assert re.fullmatch(r"dbk_[a-z2-7]{10}_[\w-]{49}", key)
    assert LOOKS_LIKE_KEY.search(f"a log line with {key} in it")
    assert matches(shown.secret, hash_of(shown.secret))
    assert not matches(shown.secret, hash_of(shown.secret + "x"))


@examples(few=100, many=5000)
@given(st.integers(0, 63), st.characters(codec="ascii"))
def test_a_key_with_one_other_character_is_none(at: int, other: str) -> None:
    key = spelled(ID, SECRET)
    changed = key[:at] + other + key[at + 1 :]
    assert changed == key or parse(changed) is None


def test_a_key_that_is_cut_or_has_more_is_none() -> None:
    key = spelled(ID, SECRET)
    for wrong in (key[:-1], key[1:], key + "a", f" {key}", key + "\n", key.upper(), "", "dbk_", ID):
        assert parse(wrong) is None, wrong


def test_a_secret_is_not_shown_by_a_traceback() -> None:
    shown = parse(spelled(ID, SECRET))
    assert shown is not None
    assert shown.secret not in repr(shown)
