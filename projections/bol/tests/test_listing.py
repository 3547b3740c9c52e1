"""Given these events, bol should show these offers."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from daybook.channel.contract import Held, Payload
from daybook.channel.testing import History, check_pure, given, render
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    AttributesChanged,
    ChannelConfigured,
    GtinAssigned,
    PriceChanged,
    PriceRemoved,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    StockAdjusted,
    StockReceived,
)
from daybook.values import Money
from daybook_projections.bol import manifest
from daybook_projections.bol.content import cut
from daybook_projections.bol.mapping import ean

GOLDEN = Path(__file__).parent / "golden"
EAN = "4015211100803"
ECONOMIC_OPERATOR = "0c6573a2-a80c-48b7-a03e-d5939f1173fa"
EUR = ("default", "19.99", "EUR")


def offer(sku: str, gtin: str = EAN, title: str | None = "Koffer", **fields: Any) -> Payload:
    plain: Payload = {
        "ean": gtin,
        "condition": {"category": "NEW"},
        "reference": sku,
        "onHoldByRetailer": False,
        "countryAvailabilities": [{"countryCode": "NL"}, {"countryCode": "BE"}],
        "fulfilment": {
            "method": "FBR",
            "schedule": "BOL_DELIVERY_PROMISE",
            "deliveryPromise": {"minimumDaysToCustomer": 1, "maximumDaysToCustomer": 2},
        },
    }
    return plain | ({"unknownProductTitle": title} if title else {}) | fields


def price(amount: float) -> Payload:
    return {"pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": amount}]}}


def stock(amount: int) -> Payload:
    return {"stock": {"amount": amount, "managedByRetailer": True}}


def texts(gtin: str = EAN, **values: str) -> Payload:
    attributes = {"EAN": gtin} | values
    named = [{"id": n, "values": [{"value": v, "unitId": ""}]} for n, v in attributes.items()]
    return {"language": "nl", "attributes": named}


def suitcase(sku: str = "S1", **given_: Any) -> History:
    complete: dict[str, Any] = {
        "gtin": EAN,
        "attributes": {"name@nl-NL": "Koffer"},
        "price": EUR,
        "stock": {"main": 5},
        "listed": ("bol",),
    }
    return History().product(sku, **complete | given_)


def facet(history: History, name: str, sku: str = "S1") -> Payload:
    payload = render(manifest, history)[sku, name]
    assert isinstance(payload, dict), payload
    return payload


def held(history: History, sku: str = "S1") -> tuple[str, ...]:
    rendered = check_pure(manifest, history)
    payload = rendered[sku, "offer"]
    assert isinstance(payload, Held), payload
    assert [at for at in rendered if at[0] == sku] == [(sku, "offer")]
    return payload.reasons


def test_a_listed_product_is_an_offer_a_price_a_stock_and_content() -> None:
    given(manifest, suitcase()).then(
        {
            ("S1", "offer"): offer("S1"),
            ("S1", "price"): price(19.99),
            ("S1", "stock"): stock(5),
            ("S1", "content"): texts(Name="Koffer"),
        }
    )


def test_a_product_that_is_not_listed_is_not_rendered() -> None:
    given(manifest, suitcase(listed=())).then({})
    given(manifest, suitcase(listed=("amazon",))).then({})


def test_delisting_and_discontinuing_take_everything_off_and_can_be_undone() -> None:
    given(manifest, suitcase().happened(ProductDelisted("bol"))).then({})
    given(manifest, suitcase().happened(ProductDiscontinued())).then({})
    shown = render(manifest, suitcase())
    given(manifest, suitcase().happened(ProductDelisted("bol"), ProductListed("bol"))).then(shown)
    given(manifest, suitcase().happened(ProductDiscontinued(), ProductReinstated())).then(shown)


def test_variants_inherit_title_and_price_but_never_gtin_or_stock_and_the_model_is_no_offer() -> None:
    history = suitcase("M", axes=("color",), stock={"main": 9})
    history.product("RED", parent="M", gtin="4006381333931", stock={"main": 2})
    history.product("BLUE", parent="M", price=("default", "24.50", "EUR"), attributes={"name@nl-NL": "Blauw"})
    history.product("GREEN", parent="M", gtin="8717418510749").happened(ProductDelisted("bol"))
    given(manifest, history).then(
        {
            ("RED", "offer"): offer("RED", "4006381333931"),
            ("RED", "price"): price(19.99),
            ("RED", "stock"): stock(2),
            ("RED", "content"): texts("4006381333931", Name="Koffer"),
            ("BLUE", "offer"): Held(("it has no GTIN, and bol finds the product by its EAN",)),
        }
    )


@pytest.mark.parametrize(
    ("attributes", "title"),
    [
        ({"name": "plain", "name@en-US": "English", "name@nl-BE": "Vlaams", "name@nl-NL": "Dutch"}, "Dutch"),
        ({"name": "plain", "name@en-US": "English", "name@nl-BE": "Vlaams"}, "Vlaams"),
        ({"name": "plain", "name@en-US": "English"}, "English"),
        ({"name": "plain", "name@de-DE": "Deutsch"}, "plain"),
        ({"name@de-DE": "Deutsch"}, None),
        ({"name@nl-NL": "Dutch", "name@nl-NL#ecommerce": "scoped", "name@nl-NL#print": "print"}, "scoped"),
    ],
)
def test_the_title_is_the_first_locale_that_has_one(attributes: dict[str, str], title: str | None) -> None:
    assert facet(suitcase(attributes=attributes), "offer") == offer("S1", title=title)


def test_a_title_is_cut_at_500_characters_between_words() -> None:
    words = "koffer " * 80
    title = facet(suitcase(attributes={"name@nl-NL": words}), "offer")["unknownProductTitle"]
    assert title == ("koffer " * 71).rstrip()
    assert len(title) <= 500
    assert cut("x" * 501, 500) == "x" * 500
    assert cut("x" * 500, 500) == "x" * 500
    assert cut("abc def", 3) == "abc"


@pytest.mark.parametrize(
    ("written", "sent"),
    [("1.00", 1.0), ("19.99", 19.99), ("0.10", 0.1), ("9999", 9999.0), ("12345.67", 12345.67), ("0", 0.0)],
)
def test_a_price_is_exact_and_bol_judges_its_size(written: str, sent: float) -> None:
    payload = facet(suitcase(price=("default", written, "EUR")), "price")
    assert payload == price(sent)


def test_every_cent_up_to_bols_limit_is_written_with_at_most_two_decimals() -> None:
    for cents in range(100, 999_901, 7):
        text = msgspec.json.encode(float(Money(cents, "EUR").decimal())).decode()
        whole, _, decimals = text.partition(".")
        assert int(whole) * 100 + int(decimals.ljust(2, "0")) == cents
        assert len(decimals) <= 2


@pytest.mark.parametrize(("pieces", "sent"), [(0, 0), (1, 1), (999, 999), (1000, 999), (-3, 0)])
def test_stock_is_capped_at_bols_999(pieces: int, sent: int) -> None:
    assert facet(suitcase(stock={}).happened(StockAdjusted("main", pieces)), "stock") == stock(sent)


def test_the_engine_is_told_how_many_a_stock_payload_offers() -> None:
    assert manifest.stock is not None
    assert {manifest.stock.facet, manifest.stock.price} < set(manifest.facets)
    assert manifest.stock.amount(facet(suitcase(), manifest.stock.facet)) == 5


def test_only_the_channels_locations_and_price_list_count() -> None:
    settings = ChannelConfigured(name="bol", locations=("nl-1", "nl-2"), price_list="bol")
    history = suitcase(stock={"nl-1": 2, "de-1": 50}, price=("bol", "15.00", "EUR"))
    history.happened(StockReceived("nl-2", 1), PriceChanged("default", Money(9900, "EUR")), settings)
    assert facet(history, "stock") == stock(3)
    assert facet(history, "price") == price(15.0)


def test_extra_settings_decide_attribute_countries_delivery_and_economic_operator() -> None:
    extra = {
        "title": "title",
        "countries": ["NL"],
        "days_min": 0,
        "days_max": 1,
        "order_before": "22:00",
        "economic_operator_id": "0c6573a2-a80c-48b7-a03e-d5939f1173fa",
        "managed_by_retailer": False,
        "unheard_of": "ignored",
    }
    settings = ChannelConfigured(name="bol", locales=("nl-NL",), extra=extra)
    history = suitcase(attributes={"title@nl-NL": "Trolley"}).happened(settings)
    promise = {"minimumDaysToCustomer": 0, "maximumDaysToCustomer": 1, "ultimateOrderTime": "22:00"}
    assert facet(history, "offer") == offer(
        "S1",
        title="Trolley",
        countryAvailabilities=[{"countryCode": "NL"}],
        fulfilment={"method": "FBR", "schedule": "BOL_DELIVERY_PROMISE", "deliveryPromise": promise},
        economicOperatorId="0c6573a2-a80c-48b7-a03e-d5939f1173fa",
    )
    assert facet(history, "stock") == {"stock": {"amount": 5, "managedByRetailer": False}}


def test_another_schedule_makes_no_promise() -> None:
    settings = ChannelConfigured(name="bol", extra={"schedule": "SHIPPING_VIA_BOL"})
    history = suitcase(attributes={"name": "Koffer"}).happened(settings)
    assert facet(history, "offer")["fulfilment"] == {"method": "FBR", "schedule": "SHIPPING_VIA_BOL"}


def test_settings_that_make_no_sense_hold_the_sku_and_say_which() -> None:
    many = {"attributes": {f"A{number}": "x" for number in range(148)}}
    for extra in ({"countries": ["DE"]}, {"days_max": "soon"}, {"schedule": "TOMORROW"}, many):
        (reason,) = held(suitcase().happened(ChannelConfigured(name="bol", extra=extra)))
        assert f"$.{next(iter(extra))}" in reason


def test_without_gtin_or_price_it_is_held_with_every_reason() -> None:
    gtin = "it has no GTIN, and bol finds the product by its EAN"
    price = "it has no price in EUR in the price list 'default'"
    assert held(History().product("S1", listed=("bol",))) == (gtin, price)
    assert held(suitcase().happened(GtinAssigned(None))) == (gtin,)
    assert held(suitcase().happened(PriceRemoved("default", "EUR"))) == (price,)
    assert held(suitcase(price=("default", "19.99", "USD"))) == (price,)
    assert held(suitcase(price=("other", "19.99", "EUR"))) == (price,)


def test_a_channel_in_another_currency_is_held() -> None:
    history = suitcase(price=("default", "19.99", "USD")).happened(ChannelConfigured(name="bol", currency="USD"))
    assert held(history) == ("bol sells in EUR only, but the channel is set to USD",)


@pytest.mark.parametrize(
    ("gtin", "sent"),
    [
        (EAN, EAN),
        ("036000291452", "0036000291452"),
        ("96385074", "0000096385074"),
        ("04015211100803", EAN),
        ("14015211100800", "14015211100800"),
    ],
)
def test_a_gtin_is_sent_as_13_digits(gtin: str, sent: str) -> None:
    assert ean(gtin) == sent
    assert facet(suitcase(gtin=gtin), "offer") == offer("S1", sent)


@pytest.mark.parametrize(
    ("gtin", "wrong"),
    [
        ("1234567890183", "has the wrong check digit"),
        ("8.71742E+12", "holds something other than digits"),
        ("000", "has 3 digits"),
        ("0000000000000", "is zeros only"),
        ("9999999999999", "has the wrong check digit"),
        ("-", "holds something other than digits"),
    ],
)
def test_what_the_book_flags_is_no_ean_and_the_product_is_held(gtin: str, wrong: str) -> None:
    (reason,) = held(suitcase(gtin=gtin))
    assert reason.startswith(f"its GTIN {gtin!r} {wrong}")


@pytest.mark.parametrize("locales", [("zh-CN",), ("sr-Latn", "en-US")])
def test_a_channel_in_languages_that_bol_has_not_is_held(locales: tuple[str, ...]) -> None:
    (reason,) = held(suitcase().happened(ChannelConfigured(name="bol", locales=locales)))
    spoken = ", ".join(locales)
    assert reason == f"none of the bol channel's locales ({spoken}) is a language of bol: nl, nl-BE, fr, fr-BE"


def test_a_removed_title_is_left_out() -> None:
    gone = AttributesChanged((AttributeChange(attribute="name", value=None, locale="nl-NL"),))
    assert facet(suitcase().happened(gone), "offer") == offer("S1", title=None)


def test_the_payloads_are_the_golden_ones() -> None:
    history = suitcase("TROLLEY-M", axes=("color",), gtin="8717418510749")
    described = {"description@nl-NL": "Een lichte koffer.", "color": "red"}
    history.product("TROLLEY-RED", parent="TROLLEY-M", gtin="4006381333931", stock={"main": 1200}, attributes=described)
    history.happened(
        AttributeDefined(code="color", type="select", options=(AttributeOption("red", {"nl-NL": "Rood"}),)),
        ChannelConfigured(
            name="bol",
            scope="ecommerce",
            locales=("nl-NL",),
            extra={"economic_operator_id": ECONOMIC_OPERATOR, "attributes": {"Colour": "color"}},
        ),
    )
    rendered = {" ".join(at): payload for at, payload in check_pure(manifest, history).items()}
    golden = msgspec.json.decode((GOLDEN / "trolley.json").read_bytes())
    assert rendered == golden
