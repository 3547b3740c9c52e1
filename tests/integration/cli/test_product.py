"""`daybook product`: the real program on a real log."""

import json
from typing import Any

import pytest

from tests.fixtures.commandline import Daybook

EAN = "4006381333931"
DEFINITIONS: tuple[dict[str, Any], ...] = (
    {"code": "name", "type": "text", "localizable": True, "length_max": 20},
    {"code": "note", "type": "text", "scopable": True},
    {"code": "weight", "type": "measure", "unit": "KILOGRAM", "minimum": "0"},
    {"code": "washable", "type": "boolean"},
    {"code": "pockets", "type": "number"},
    {"code": "colours", "type": "multiselect", "options": [{"code": "red"}, {"code": "blue"}]},
    {"code": "colour", "type": "select", "options": [{"code": "red"}, {"code": "blue"}]},
    {"code": "since", "type": "date"},
)


def catalogue() -> bytes:
    records: list[dict[str, Any]] = [{"type": "define_attribute", "attribute": one} for one in DEFINITIONS]
    records.append({"type": "define_family", "family": {"code": "jackets", "attributes": ["name", "colour"]}})
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


@pytest.fixture
def daybook(database: str) -> Daybook:
    program = Daybook({"DAYBOOK_POSTGRES": database})
    program.json("import", "jsonl", "-", stdin=catalogue())
    program.json("product", "create", "SKU-1", "--family", "jackets")
    return program


def shown(daybook: Daybook, sku: str = "SKU-1", *more: object) -> Any:
    return daybook.json("product", "show", sku, *more)


def test_a_write_tells_where_it_is_in_the_log(daybook: Daybook) -> None:
    before = daybook.head()
    done = daybook.json("product", "price", "SKU-1", "19.99", "EUR", "--reason", "spring", "--actor", "ann")
    assert (done["changed"], done["repeated"], done["position"]) == (True, False, before + 1)
    assert (done["stream"], done["version"], done["event"]) == ("product/SKU-1", 2, "product.price_changed.v1")
    (newest,) = daybook("log", "tail", "-n", "1", "--json").lines
    assert (newest["position"], newest["actor"], newest["reason"]) == (before + 1, "ann", "spring")
    assert (newest["source"], newest["command_id"]) == ("cli", done["command_id"])


def test_a_wish_that_is_true_already_changes_nothing_and_is_no_error(daybook: Daybook) -> None:
    daybook.json("product", "price", "SKU-1", "19.99", "EUR")
    with daybook.unchanged():
        done = daybook.json("product", "price", "SKU-1", "19.990", "EUR")
        plain = daybook("product", "price", "SKU-1", "19.99", "EUR")
    assert (done["changed"], done["position"], done["version"]) == (False, None, 2)
    assert (plain.code, plain.stdout) == (0, "no change: it is so already, at version 2\n")


def test_a_product_is_created_plain_as_a_model_and_as_a_variant(daybook: Daybook) -> None:
    daybook.json("product", "create", "M", "--kind", "model", "--axis", "colour", "--axis", "size")
    daybook.json("product", "create", "M-RED", "--parent", "M")
    assert (shown(daybook, "M")["axes"], shown(daybook, "M")["variants"]) == (["colour", "size"], ["M-RED"])
    assert (shown(daybook, "M-RED")["kind"], shown(daybook, "M-RED")["key"]) == ("variant", "M")


VALUES: tuple[tuple[tuple[str, ...], object], ...] = (
    (("name", "Winter jacket", "--locale", "nl_nl"), "Winter jacket"),
    (("note", "new!", "--scope", "ecommerce"), "new!"),
    (("weight", "1.2 POUND"), {"amount": "1.2", "unit": "POUND"}),
    (("weight", "1.2"), {"amount": "1.2", "unit": "KILOGRAM"}),
    (("washable", "Yes"), True),
    (("pockets", "4"), 4),
    (("pockets", "-4.5"), -4.5),
    (("colours", "red, blue"), ["red", "blue"]),
    (("colour", "red"), "red"),
    (("since", "2026-03-01"), "2026-03-01"),
)


def test_a_value_is_read_by_its_attributes_type(daybook: Daybook) -> None:
    for (attribute, text, *place), value in VALUES:
        assert daybook.json("product", "set", *place, "SKU-1", attribute, "--", text)["changed"]
        assert [one["value"] for one in shown(daybook)["values"]] == [value], text
        assert daybook.json("product", "set", "SKU-1", attribute, "--unset", *place)["changed"]
        assert shown(daybook)["values"] == []


def test_stock_is_counted_received_and_adjusted(daybook: Daybook) -> None:
    daybook.json("product", "stock", "SKU-1", "count", 10)
    daybook.json("product", "stock", "SKU-1", "receive", 5, "--location", "antwerp")
    assert daybook.json("product", "stock", "SKU-1", "adjust", "-3")["stream"] == "stock/SKU-1"
    assert shown(daybook)["stock"] == {"main": 7, "antwerp": 5}


def test_a_wrong_gtin_is_kept_and_flagged_and_an_empty_one_removes_it(daybook: Daybook) -> None:
    daybook.json("product", "gtin", "SKU-1", EAN)
    assert (shown(daybook)["gtin"], shown(daybook)["gtin_problem"]) == (EAN, None)
    daybook.json("product", "gtin", "SKU-1", "4006381333932")
    assert "check digit" in shown(daybook)["gtin_problem"]
    daybook.json("product", "gtin", "SKU-1", "")
    assert shown(daybook)["gtin"] is None


def test_a_product_is_listed_delisted_discontinued_and_reinstated(daybook: Daybook) -> None:
    daybook.json("product", "list", "SKU-1", "bol")
    assert shown(daybook)["channels"] == {"bol": True}
    daybook.json("product", "delist", "SKU-1", "bol")
    daybook.json("product", "discontinue", "SKU-1")
    assert (shown(daybook)["channels"], shown(daybook)["discontinued"]) == ({"bol": False}, True)
    daybook.refuses(5, "refused", "product", "list", "SKU-1", "bol")
    daybook.json("product", "reinstate", "SKU-1")
    assert shown(daybook)["discontinued"] is False


def test_a_product_is_shown_as_it_was_and_as_a_channel_should_show_it(daybook: Daybook) -> None:
    then = daybook.json("product", "price", "SKU-1", "19.99", "EUR")
    daybook.json("product", "price", "SKU-1", "17.99", "EUR")
    daybook.json("product", "gtin", "SKU-1", EAN)
    daybook.json("product", "stock", "SKU-1", "count", 3)
    daybook.json("product", "list", "SKU-1", "bol")
    for moment in (("--position", then["position"]), ("--at", then["recorded_at"])):
        assert [one["amount"] for one in shown(daybook, "SKU-1", *moment)["prices"]] == ["19.99"]
        assert shown(daybook, "SKU-1", *moment, "--channel", "bol")["shown"] == {}
    now = shown(daybook, "SKU-1", "--channel", "bol")
    assert now["shown"]["SKU-1"]["price"]["pricing"]["bundlePrices"][0]["unitPrice"] == 17.99
    assert "17.99" in daybook("product", "show", "SKU-1").stdout


def test_history_and_difference_name_what_changed_who_and_why(daybook: Daybook) -> None:
    first = daybook.json("product", "price", "SKU-1", "19.99", "EUR", "--actor", "ann")
    last = daybook.json("product", "price", "SKU-1", "17.99", "EUR", "--actor", "bob", "--reason", "sale")
    created, _, sale = daybook.json("product", "history", "SKU-1")
    assert created["sentence"] == "created in family jackets"
    assert (sale["sentence"], sale["actor"], sale["reason"]) == ("price default EUR 19.99 → 17.99", "bob", "sale")
    assert [one["position"] for one in daybook.json("product", "history", "SKU-1", "--after", first["position"])] == [
        last["position"]
    ]
    plain = daybook("product", "history", "SKU-1").stdout
    assert "price default EUR 19.99 → 17.99" in plain and "sale" in plain
    found = daybook.json("product", "diff", "SKU-1", "--from", first["position"], "--to", last["position"])
    assert found["changes"] == [{"field": "prices.default.EUR", "before": "19.99", "after": "17.99"}]
    assert found == daybook.json("product", "diff", "SKU-1", "--from", first["recorded_at"])


def test_a_repeated_command_id_is_carried_out_once_and_belongs_to_one_command(daybook: Daybook) -> None:
    order = ("product", "stock", "SKU-1", "receive", 5, "--command-id", "delivery-17")
    first = daybook.json(*order)
    with daybook.unchanged():
        again = daybook.json(*order)
    assert again == {**first, "repeated": True}
    problem = daybook.refuses(5, "command_id_reused", "product", "stock", "SKU-1", "receive", 6, *order[-2:])
    assert "delivery-17" in problem["message"]
    assert shown(daybook)["stock"] == {"main": 5}


def test_a_wish_that_rests_on_an_old_version_is_refused(daybook: Daybook) -> None:
    price = ("product", "price", "SKU-1", "19.99", "EUR", "--expect-version")
    problem = daybook.refuses(5, "version_conflict", *price, 7)
    assert (problem["details"]["expected"], problem["details"]["actual"]) == (7, 1)
    assert daybook.json(*price, 1)["version"] == 2


BAD: tuple[tuple[int, str, str | None, tuple[str, ...]], ...] = (
    (3, "invalid_value", "sku", ("create", "a b")),
    (3, "invalid_value", "sku", ("create", "")),
    (3, "invalid_value", "sku", ("show", "x" * 65)),
    (3, "invalid_value", "parent", ("create", "V", "--parent", "no such")),
    (3, "invalid_value", "parent", ("create", "V", "--kind", "variant")),
    (3, "invalid_value", "amount", ("price", "SKU-1", "19.999", "EUR")),
    (3, "invalid_value", "amount", ("price", "SKU-1", "cheap", "EUR")),
    (3, "invalid_value", "amount", ("price", "SKU-1", "-1", "EUR")),
    (3, "invalid_value", "currency", ("price", "SKU-1", "1", "EURO")),
    (3, "invalid_value", "price_list", ("price", "SKU-1", "1", "EUR", "--list", "a b")),
    (3, "invalid_value", "quantity", ("stock", "SKU-1", "count", "-1")),
    (3, "invalid_value", "quantity", ("stock", "SKU-1", "receive", "0")),
    (3, "invalid_value", "location", ("stock", "SKU-1", "count", "1", "--location", "no way")),
    (3, "invalid_value", "gtin", ("gtin", "SKU-1", "1" * 51)),
    (3, "invalid_value", "channel", ("list", "SKU-1", "no channel")),
    (3, "invalid_value", "at", ("show", "SKU-1", "--at", "yesterday")),
    (3, "invalid_value", "position", ("show", "SKU-1", "--position", "99999")),
    (3, "invalid_value", "position", ("show", "SKU-1", "--position", "1", "--at", "2026-03-01")),
    (3, "invalid_value", "position", ("diff", "SKU-1", "--from", "99999")),
    (3, "invalid_value", "limit", ("history", "SKU-1", "--limit", "0")),
    (3, "invalid_value", "actor", ("discontinue", "SKU-1", "--actor", " ")),
    (3, "invalid_value", "reason", ("discontinue", "SKU-1", "--reason", "x" * 1001)),
    (3, "invalid_value", "command-id", ("discontinue", "SKU-1", "--command-id", "")),
    (3, "invalid_value", "attributes.name.locale", ("set", "SKU-1", "name", "x", "--locale", "xx-Klingon")),
    (3, "invalid_value", "attributes.name", ("set", "SKU-1", "name", "x")),
    (3, "invalid_value", "attributes.name", ("set", "SKU-1", "name", "x" * 21, "--locale", "nl")),
    (3, "invalid_value", "attributes.note", ("set", "SKU-1", "note", "x")),
    (3, "invalid_value", "attributes.weight.amount", ("set", "SKU-1", "weight", "heavy")),
    (3, "invalid_value", "attributes.washable", ("set", "SKU-1", "washable", "maybe")),
    (3, "invalid_value", "attributes.pockets", ("set", "SKU-1", "pockets", "nan")),
    (3, "invalid_value", "attributes.colour", ("set", "SKU-1", "colour", "green")),
    (3, "invalid_value", "attributes.colours", ("set", "SKU-1", "colours", "red,green")),
    (3, "invalid_value", "attributes.since", ("set", "SKU-1", "since", "soon")),
    (4, "not_found", "attributes.size", ("set", "SKU-1", "size", "XL")),
    (4, "not_found", "family", ("create", "B", "--family", "shoes")),
    (4, "not_found", "channel", ("list", "SKU-1", "ebay")),
    (4, "not_found", None, ("show", "SKU-1", "--channel", "ebay")),
    (5, "refused", None, ("create", "SKU-1")),
    (5, "refused", "parent", ("create", "V", "--parent", "SKU-1")),
)


def test_bad_input_is_refused_with_the_field_and_the_reason_and_writes_nothing(daybook: Daybook) -> None:
    for code, name, field, arguments in BAD:
        problem = daybook.refuses(code, name, "product", *arguments)
        assert problem["details"].get("field") == field, arguments
        assert (field or "SKU-1") in problem["message"] or "ebay" in problem["message"], arguments


NOT_THERE: tuple[tuple[str, ...], ...] = (
    ("show", "NOPE"),
    ("history", "NOPE"),
    ("diff", "NOPE", "--from", "1"),
    ("price", "NOPE", "1", "EUR"),
    ("stock", "NOPE", "count", "1"),
    ("gtin", "NOPE", EAN),
    ("set", "NOPE", "colour", "red"),
    ("list", "NOPE", "bol"),
    ("delist", "NOPE", "bol"),
    ("discontinue", "NOPE"),
    ("reinstate", "NOPE"),
)


def test_an_unknown_sku_is_named(daybook: Daybook) -> None:
    for arguments in NOT_THERE:
        assert "NOPE" in daybook.refuses(4, "not_found", "product", *arguments)["message"]


NO_SENSE: tuple[tuple[str, ...], ...] = (
    ("product", "price", "SKU-1", "1"),
    ("product", "stock", "SKU-1", "count", "many"),
    ("product", "stock", "SKU-1", "steal", "1"),
    ("product", "set", "SKU-1", "name"),
    ("product", "set", "SKU-1", "name", "x", "--unset"),
    ("product", "create", "B", "--kind", "thing"),
    ("product", "price", "SKU-1", "1", "EUR", "--lst", "x"),
    ("product", "discontinue", "SKU-1", "--expect-version", "-1"),
    ("product", "diff", "SKU-1"),
    ("product", "prise"),
    ("produkt",),
)


def test_a_command_line_that_can_not_be_understood_exits_with_2(daybook: Daybook) -> None:
    for arguments in NO_SENSE:
        problem = daybook.refuses(2, "usage", *arguments)
        assert "--help`" in problem["message"]
