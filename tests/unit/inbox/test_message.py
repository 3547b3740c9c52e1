"""What a message of the inbox must say."""

from typing import Any

import msgspec
import pytest

from daybook.commands import ChangePrice
from daybook.errors import InvalidValue
from daybook.inbox.message import TYPES, message_of

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "erp",
    "type": "change_price",
    "subject": "A",
    "data": {"sku": "A", "amount": "12.50", "currency": "EUR"},
}


def test_a_command_comes_as_a_cloudevent() -> None:
    found = message_of(7, "erp", msgspec.json.encode(EVENT))
    assert (found.sequence, found.sku) == (7, "A")
    assert found.command == ChangePrice(sku="A", amount="12.50", currency="EUR")


def test_the_command_id_is_made_of_sender_source_and_id_alone() -> None:
    def id_of(sender: str = "erp", **said: Any) -> object:
        return message_of(1, sender, msgspec.json.encode(EVENT | said)).command_id

    assert id_of() == id_of(data={"sku": "A", "amount": "1", "currency": "EUR"})
    assert len({id_of(), id_of("pim"), id_of(id="2"), id_of(source="other"), id_of(source="er", id="p1")}) == 5


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"specversion": "0.3"}, "message"),
        ({"id": None}, "message"),
        ({"id": ""}, "id"),
        ({"id": "x" * 3000}, "id"),
        ({"type": "delete_everything"}, "type"),
        ({"type": "add_user"}, "type"),
        ({"data": []}, "data"),
        ({"data": {"sku": "A", "amount": "1"}}, "data"),
        ({"data": {"sku": "A", "amount": 1, "currency": "EUR"}}, "data.amount"),
        ({"data": {"sku": "A", "amount": "1", "currency": "EUR", "colour": "red"}}, "data"),
        ({"data": {"sku": "A", "amount": "1", "currency": "EUR", "type": "list_product"}}, "data.type"),
        ({"data": {"sku": "a b", "amount": "1", "currency": "EUR"}, "subject": None}, "data.sku"),
        ({"subject": "B"}, "subject"),
        ({"answerto": "daybook.product.created.1"}, "answerto"),
        ({"answerto": "daybook-answer.pim.1"}, "answerto"),
        ({"answerto": "daybook-answer.erp.*"}, "answerto"),
        ({"answerto": "daybook-answer.erp."}, "answerto"),
    ],
)
def test_what_is_no_command_is_refused_by_the_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        message_of(1, "erp", msgspec.json.encode(EVENT | said))
    assert refused.value.details["field"] == field


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[]", b"null", b'"x"', b"{" * 100_000, b'{"a":1}', b"x" * 950_000]
)
def test_what_is_no_cloudevent_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidValue):
        message_of(1, "erp", body)


def test_commands_about_users_keys_and_channels_can_not_be_sent() -> None:
    assert "change_price" in TYPES and "describe_product" in TYPES and "count_stock" in TYPES
    assert not {one for one in TYPES if "user" in one or "key" in one or "access" in one or "channel" in one}
