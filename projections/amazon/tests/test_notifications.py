"""Notifications say what to look at."""

import json
from typing import Any

import pytest

from projections.amazon.listing import MARKETPLACE_NL
from projections.amazon.notifications import Told, told
from tests.fixtures.shared import SPECS, needs_specs

SELLER = "A2SELLER"


def listing(kind: str = "LISTINGS_ITEM_STATUS_CHANGE", **payload: Any) -> dict[str, Any]:
    return {
        "NotificationType": kind,
        "EventTime": "2026-02-03T18:59:30.194Z",
        "Payload": {"SellerId": SELLER, "MarketplaceId": MARKETPLACE_NL, "Sku": "S 1"} | payload,
        "NotificationMetadata": {"NotificationId": "8e009934"},
    }


def feed(**payload: Any) -> dict[str, Any]:
    about = {"sellerId": SELLER, "feedId": "533", "feedType": "JSON_LISTINGS_FEED", "processingStatus": "DONE"}
    return {
        "notificationType": "FEED_PROCESSING_FINISHED",
        "eventTime": "2026-07-13T19:42:04.284Z",
        "payload": {"feedProcessingFinishedNotification": about | payload},
        "notificationMetadata": {"notificationId": "d0e9e693"},
    }


@pytest.mark.parametrize(
    "kind", ["LISTINGS_ITEM_STATUS_CHANGE", "LISTINGS_ITEM_ISSUES_CHANGE", "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"]
)
def test_a_change_of_a_listing_names_its_sku(kind: str) -> None:
    expected = Told("8e009934", "listing", "S 1", "2026-02-03T18:59:30.194Z")
    assert told(listing(kind), SELLER, MARKETPLACE_NL) == expected


def test_the_end_of_a_listings_feed_names_the_feed() -> None:
    assert told(feed(), SELLER, MARKETPLACE_NL) == Told("d0e9e693", "feed", "533", "2026-07-13T19:42:04.284Z")
    assert told(feed(feedType="POST_PRODUCT_DATA"), SELLER, MARKETPLACE_NL) is None


@pytest.mark.parametrize(
    "other",
    [
        listing("ORDER_CHANGE"),
        listing(SellerId="ANOTHER"),
        listing(MarketplaceId="A1PA6795UKMFR9"),
        listing(Sku=None),
        feed(sellerId="ANOTHER"),
        listing() | {"NotificationMetadata": {}},
        listing() | {"Payload": []},
        {},
        [],
        None,
    ],
)
def test_what_is_not_ours_or_not_understood_says_nothing(other: Any) -> None:
    assert told(other, SELLER, MARKETPLACE_NL) is None


@needs_specs
@pytest.mark.parametrize(
    "file",
    ["ListingsItemStatusChangeNotification", "ListingsItemIssuesChangeNotification", "ListingsItemMfnQuantityChange"],
)
def test_amazons_own_examples_are_understood(file: str) -> None:
    assert SPECS is not None
    example = json.loads((SPECS / "amazon" / f"{file}.json").read_text())["examples"][0]
    found = told(example, example["Payload"]["SellerId"], example["Payload"].get("MarketplaceId", MARKETPLACE_NL))
    assert found is not None
    assert (found.what, found.name) == ("listing", example["Payload"]["Sku"])
