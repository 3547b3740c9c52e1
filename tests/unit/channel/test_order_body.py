"""What channels send of orders is read, or refused with its field."""

import hmac
from base64 import b64encode
from decimal import Decimal
from typing import Any

import pytest

from daybook.channel.order_body import member, money, object_in, objects, signed
from daybook.errors import InvalidValue

BODY = b'{"id": 1}'


def shown(secret: str) -> str:
    return b64encode(hmac.digest(secret.encode(), BODY, "sha256")).decode()


def test_a_signature_of_any_of_the_secrets_is_taken_and_no_other() -> None:
    assert signed(shown("new"), BODY, ["old", "new"])
    assert not signed(shown("else"), BODY, ["old", "new"])
    assert not signed(shown("new"), BODY + b" ", ["old", "new"])
    assert not signed(shown("new"), BODY, [])


@pytest.mark.parametrize("nonsense", ["", "é", "not base64!", "AAAA", "="])
def test_what_is_no_signature_is_none(nonsense: str) -> None:
    assert not signed(nonsense, BODY, ["secret"])


def test_numbers_of_a_body_stay_as_they_were_written() -> None:
    assert object_in(b'{"total": 19.99, "pieces": 2}') == {"total": Decimal("19.99"), "pieces": 2}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"^body: must be a JSON object"):
        object_in(body)


@pytest.mark.parametrize("wrong", ["x", {"a": 1}, [1], [{}, None]])
def test_what_is_no_list_of_objects_is_refused_with_its_field(wrong: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^lines: must be a list of objects"):
        objects({"lines": wrong}, "lines")
    assert objects({}, "lines") == objects({"lines": None}, "lines") == []


def test_what_is_optional_is_empty_where_there_is_none() -> None:
    assert member({"billing": None}, "billing") == member({"billing": "x"}, "billing") == {}


@pytest.mark.parametrize("wrong", ["x", "NaN", "Infinity", [1]])
def test_what_is_no_amount_is_refused_with_its_field(wrong: Any) -> None:
    with pytest.raises(InvalidValue, match=r"^total: must be an amount such as"):
        money(wrong, "total")
    assert (money(None, "total"), money("19.99", "total")) == (Decimal(0), Decimal("19.99"))
