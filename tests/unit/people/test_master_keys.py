"""Master keys seal people's keys, are rotated by a line above the old one, and are refused when they make no sense."""

import base64

import pytest

from daybook.errors import BadConfiguration
from daybook.people.cipher import new_key
from daybook.people.keys.master import MasterKeys

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def test_a_key_is_sealed_by_the_first_and_opened_by_any_of_them() -> None:
    old, both = MasterKeys.parsed(OLD), MasterKeys.parsed(f"{NEW}\n\n{OLD}\n")
    key = new_key()
    kept = old.wrap("p", key)

    assert key not in kept
    assert both.unwrap("p", kept, old.sealing) == key
    assert both.sealing not in (None, old.sealing)
    assert both.unwrap("p", both.wrap("p", key), both.sealing) == key


def test_without_a_master_key_keys_are_kept_as_they_are_and_go_on_being_read_with_one() -> None:
    none, key = MasterKeys.parsed(None), new_key()

    assert none.wrap("p", key) == key and none.sealing is None
    assert MasterKeys.parsed(NEW).unwrap("p", key, None) == key


@pytest.mark.parametrize("at_hand", [None, NEW])
def test_a_key_whose_master_key_is_not_at_hand_is_told_with_the_next_step(at_hand: str | None) -> None:
    old = MasterKeys.parsed(OLD)

    with pytest.raises(BadConfiguration, match="DAYBOOK_MASTER_KEY_FILE"):
        MasterKeys.parsed(at_hand).unwrap("p", old.wrap("p", new_key()), old.sealing)


def test_a_sealed_key_of_one_person_is_no_key_of_another() -> None:
    master = MasterKeys.parsed(OLD)

    with pytest.raises(BadConfiguration):
        master.unwrap("q", master.wrap("p", new_key()), master.sealing)


@pytest.mark.parametrize("text", ["secretcanary", "c2VjcmV0", OLD[:-4], f"{OLD}{NEW}"])
def test_what_is_no_master_key_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(BadConfiguration, match="openssl rand -base64 32") as caught:
        MasterKeys.parsed(text)
    assert text not in caught.value.message
