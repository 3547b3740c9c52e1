"""What the timeline tells of a product group, and that it keeps the contract of every projection."""

from daybook.channel.testing import History, check_channel, given, render
from daybook.events import ProductDiscontinued, StockAdjusted
from daybook_projections.timeline import manifest


def test_the_timeline_keeps_the_contract_of_every_projection() -> None:
    check_channel(manifest)


def test_a_plain_product_is_told_whether_it_is_listed_or_not() -> None:
    history = History().product(
        "S1", gtin="4006381333931", price=("default", "19.99", "EUR"), stock={"main": 5}, categories=("shoes",)
    )
    given(manifest, history).then(
        {
            ("S1", "product"): {
                "sku": "S1",
                "kind": "product",
                "parent": None,
                "family": None,
                "axes": [],
                "gtin": "4006381333931",
                "attributes": [],
                "categories": ["shoes"],
                "media": [],
                "channels": {},
                "discontinued": False,
                "rank": 0,
            },
            ("S1", "prices"): {"prices": [{"amount": "19.99", "currency": "EUR", "price_list": "default"}]},
            ("S1", "stock"): {"stock": {"main": 5}},
            ("S1", "group"): {"families": [], "categories": ["shoes"], "listed_on": []},
        }
    )


def test_a_group_is_found_by_what_any_of_its_products_has() -> None:
    history = History().product("M", axes=("color",), family="clothing", categories=("shirts",), listed=("bol",))
    history.product("M-1", parent="M", categories=("sale",))

    assert render(manifest, history)["M", "group"] == {
        "families": ["clothing"],
        "categories": ["sale", "shirts"],
        "listed_on": ["bol"],
    }


def test_a_discontinued_group_is_told_and_sold_nowhere() -> None:
    history = History().product("S1", listed=("bol",)).happened(ProductDiscontinued())

    shown = render(manifest, history)

    product, group = shown["S1", "product"], shown["S1", "group"]
    assert isinstance(product, dict) and product["discontinued"] is True
    assert isinstance(group, dict) and group["listed_on"] == []


def test_a_location_below_zero_is_told_as_empty() -> None:
    history = History().product("S1", stock={"main": 1}).happened(StockAdjusted("main", -3))

    assert render(manifest, history)["S1", "stock"] == {"stock": {"main": 0}}


def test_a_price_that_changes_leaves_the_other_facets_as_they_were() -> None:
    before = History().product("S1", price=("default", "1.00", "EUR"), stock={"main": 1})
    after = History().product("S1", price=("default", "2.00", "EUR"), stock={"main": 1})

    first, second = render(manifest, before), render(manifest, after)

    assert {facet for (_, facet) in first if first["S1", facet] != second["S1", facet]} == {"prices"}
