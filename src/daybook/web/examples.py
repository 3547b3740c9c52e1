"""An example of each body, for the description of the API. A test sends them."""

from datetime import UTC, datetime
from typing import Any

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "AttributeDefined": (
        {"code": "name", "type": "text", "localizable": True, "labels": {"nl-NL": "Naam"}},
        {"code": "color", "type": "select", "options": [{"code": "red", "labels": {"en-GB": "Red"}}]},
    ),
    "FamilyDefined": ({"code": "jackets", "attributes": ["name", "color"], "required": {"ecommerce": ["name"]}},),
    "CategoryDefined": ({"code": "outdoor", "labels": {"nl-NL": "Buiten"}},),
    "ChannelConfigured": ({"name": "crm", "locales": ["nl-NL"], "currency": "EUR", "locations": ["main"]},),
    "AddChannel": ({"name": "crm", "kind": "webhook", "settings": {"url": "https://crm.example/hook"}},),
    "DescribeProduct": (
        {
            "sku": "JACKET-1",
            "kind": "product",
            "family": "jackets",
            "gtin": "4006381333931",
            "attributes": [{"attribute": "name", "locale": "nl-NL", "value": "Regenjas"}],
            "prices": [{"amount": "89.95", "currency": "EUR"}],
            "categories": ["outdoor"],
            "media": [{"media_id": "front", "url": "https://example.com/front.jpg"}],
            "channels": {"crm": True},
            "stock": {"main": 12},
        },
    ),
    "Attributes": ({"changes": [{"attribute": "name", "locale": "nl-NL", "value": "Regenjas"}]},),
    "Amount": ({"amount": "79.95"},),
    "DraftChoice": ({"attribute": "name", "locale": "de-DE", "source": "9c5e1a30f2b44d17"},),
    "NewSchedule": (
        {
            "effective_at": f"{datetime.now(UTC).year + 1}-12-01T00:00+01:00",
            "change": {"type": "change_price", "sku": "JACKET-1", "amount": "69.95", "currency": "EUR"},
        },
    ),
    "EffectiveAt": ({"effective_at": f"{datetime.now(UTC).year + 1}-12-02T00:00+01:00"},),
    "Gtin": ({"gtin": "4006381333931"}, {"gtin": None}),
    "Categories": ({"categories": ["outdoor"]},),
    "MediaAdded": ({"media_id": "front", "url": "https://example.com/front.jpg", "role": "image"},),
    "Quantity": ({"quantity": 5},),
    "Delta": ({"delta": -1},),
    "NewOrder": (
        {
            "channel": "crm",
            "number": "1001",
            "currency": "EUR",
            "lines": [{"sku": "JACKET-1", "quantity": 2, "price": "89.95", "tax": "31.22"}],
            "shipping": "4.95",
            "customer": {
                "name": "Ada Byron",
                "mail": "ada@example.com",
                "address": {"city": "London", "country": "GB"},
            },
        },
    ),
    "Paid": ({"amount": "184.85", "currency": "EUR", "reference": "tr_1"},),
    "Shipped": ({"parcel": "P-1", "lines": {"1": 1}, "carrier": "postnl", "tracking": "3SABCD1234567"},),
    "Cancelled": ({"cause": "customer"},),
    "Returned": ({"lines": {"1": 1}, "reference": "RMA-7"},),
    "Person": ({"name": "Ada Byron", "mail": "ada@example.com", "address": {"city": "London", "country": "GB"}}, {}),
    "PersonChange": ({"phone": "+44 20 7946 0000", "mail": None},),
    "Nothing": ({},),
    "Retry": ({}, {"skus": ["JACKET-1"]}),
    "Resync": ({"skus": ["JACKET-1"], "dry_run": True}, {"all": True}),
}
"""Schema -> its examples. In this order they can be carried out one after the other."""
