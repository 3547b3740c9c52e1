"""How the end of a submission is read from a listing: the cases that Amazon has and a sandbox can't show all of."""

from typing import Any

import pytest

from daybook.channel.contract import Confirmed, Push, Rejected
from daybook_projections.amazon.listing import FACETS, MARKETPLACE_NL
from daybook_projections.amazon.submission import outcome_of

HERE = {"marketplace_id": MARKETPLACE_NL}
PRODUCT = {
    "productType": "LUGGAGE",
    "attributes": {"item_name": [{"value": "Koffer", "language_tag": "nl_NL"} | HERE]},
}
OFFER = {"audience": "ALL", "currency": "EUR", "our_price": [{"schedule": [{"value_with_tax": 80.0}]}]} | HERE
LISTING: dict[str, Any] = {
    "product": PRODUCT,
    "price": {"purchasable_offer": [OFFER]},
    "stock": {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 4}]},
}
SUMMARY = {"marketplaceId": MARKETPLACE_NL, "asin": "B01"}
SHOWN: dict[str, Any] = {
    "sku": "S1",
    "summaries": [SUMMARY],
    "attributes": {
        "item_name": [
            {"value": "Trolley", "language_tag": "en_GB", "marketplace_id": "A1F83G8C2ARO7P"},
            {"value": "Koffer", "language_tag": "nl_NL"} | HERE,
        ],
        "list_price": [{"currency": "EUR", "value": 99}],
        "purchasable_offer": [
            OFFER | {"start_at": {"value": "2026-01-01"}, "our_price": [{"schedule": [{"value_with_tax": 80}]}]}
        ],
        "fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 4, "lead_time": 2}],
    },
    "issues": [],
    "offers": [
        {"marketplaceId": "A1F83G8C2ARO7P", "offerType": "B2C", "price": {"currencyCode": "GBP", "amount": "70.00"}},
        {"marketplaceId": MARKETPLACE_NL, "offerType": "B2B", "price": {"currencyCode": "EUR", "amount": "75.00"}},
        {"marketplaceId": MARKETPLACE_NL, "offerType": "B2C", "price": {"currencyCode": "EUR", "amount": "80"}},
    ],
    "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 4}],
}


def read(item: dict[str, Any], facet: str = "product", verb: str = "put", payload: Any = ...) -> Any:
    push = Push(
        sku="S1",
        key="S1",
        facet=facet,
        payload=LISTING[facet] if payload is ... else payload,
        listing=LISTING,
        remote_id=None,
        remote_ids={},
        position=1,
        attempt=1,
    )
    return outcome_of(push, f"{verb}/f1dc2914", item, MARKETPLACE_NL)


def error(code: str = "8541", **more: Any) -> dict[str, Any]:
    return {"code": code, "message": "No.", "severity": "ERROR", "categories": ["INVALID_ATTRIBUTE"]} | more


def test_what_amazon_adds_and_what_other_marketplaces_have_does_not_stand_in_the_way() -> None:
    assert read(SHOWN) == Confirmed(covers=FACETS, remote_id="B01")
    assert read(SHOWN, "price", "patch") == Confirmed(covers=("price",), remote_id="B01")


@pytest.mark.parametrize(
    "changed",
    [
        {"summaries": []},
        {"summaries": [{"marketplaceId": "A1F83G8C2ARO7P", "asin": "B02"}]},
        {"attributes": {}},
        {"attributes": SHOWN["attributes"] | {"item_name": [{"value": "Koffer", "language_tag": "nl_BE"} | HERE]}},
        {"attributes": SHOWN["attributes"] | {"purchasable_offer": [OFFER | {"currency": "USD"}]}},
        {"fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 5}]},
        {
            "offers": [
                {"marketplaceId": MARKETPLACE_NL, "offerType": "B2C", "price": {"currencyCode": "EUR", "amount": "79"}}
            ]
        },
    ],
)
def test_a_listing_that_is_not_what_was_sent_decides_nothing_yet(changed: dict[str, Any]) -> None:
    assert read(SHOWN | changed) is None


def test_an_error_that_was_there_before_the_values_are_is_not_taken_for_the_verdict() -> None:
    assert read(SHOWN | {"attributes": {}, "issues": [error()]}) is None


def test_an_error_rejects_a_put_whatever_it_names_but_not_a_warning_or_another_marketplaces() -> None:
    assert isinstance(read(SHOWN | {"issues": [error()]}), Rejected)
    assert isinstance(read(SHOWN | {"issues": [error(severity="WARNING")]}), Confirmed)
    assert isinstance(read(SHOWN | {"issues": [error(marketplaceIds=["A1F83G8C2ARO7P"])]}), Confirmed)


@pytest.mark.parametrize(
    ("action", "exemption", "outcome"),
    [
        ("LISTING_SUPPRESSED", "NOT_EXEMPT", Rejected),
        ("CATALOG_ITEM_REMOVED", "NOT_EXEMPT", Rejected),
        ("LISTING_SUPPRESSED", "EXEMPT_UNTIL_EXPIRY_DATE", Confirmed),
        ("SEARCH_SUPPRESSED", "NOT_EXEMPT", Confirmed),
    ],
)
def test_a_warning_that_takes_the_listing_down_is_a_verdict(action: str, exemption: str, outcome: type) -> None:
    enforced = {"actions": [{"action": action}], "exemption": {"status": exemption}}
    assert isinstance(read(SHOWN | {"issues": [error(severity="WARNING", enforcements=enforced)]}), outcome)


def test_a_patch_of_what_is_not_listed_is_not_confirmed_by_the_attribute_that_it_left() -> None:
    assert read(SHOWN | {"summaries": []}, "price", "patch") is None


def test_an_error_rejects_a_patch_only_if_it_is_about_the_patched_attribute() -> None:
    named = error(attributeNames=["purchasable_offer.our_price"])
    nameless = error(categories=["INVALID_PRICE"])
    for issue, facets in ((named, {"price"}), (nameless, {"price"}), (error(), set[str]())):
        rejected = {
            facet
            for facet in ("price", "stock")
            if isinstance(read(SHOWN | {"issues": [issue]}, facet, "patch"), Rejected)
        }
        assert rejected == facets


def test_missing_said_of_something_not_sent_is_a_verdict_and_of_something_sent_is_from_before() -> None:
    missing: dict[str, Any] = {"categories": ["MISSING_ATTRIBUTE"]}
    assert isinstance(read(SHOWN | {"issues": [error(attributeNames=["brand"], **missing)]}), Rejected)
    left_over = error(attributeNames=["item_name"], **missing)
    assert read(SHOWN | {"issues": [left_over]}) is None
    assert isinstance(read(SHOWN | {"issues": [left_over, error()]}), Rejected)


def test_a_removed_attribute_is_gone_once_it_is_not_shown() -> None:
    assert read(SHOWN, "stock", "patch", payload=None) is None
    rest = {name: value for name, value in SHOWN["attributes"].items() if name != "fulfillment_availability"}
    assert isinstance(read(SHOWN | {"attributes": rest}, "stock", "patch", payload=None), Confirmed)


def test_a_removed_listing_is_gone_once_there_is_nothing_left_in_it() -> None:
    assert read(SHOWN, verb="delete", payload=None) is None
    assert read({"sku": "S1", "summaries": [], "attributes": {}}, verb="delete", payload=None) == Confirmed(
        covers=FACETS
    )
