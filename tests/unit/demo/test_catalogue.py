"""The bundled catalogue: any size, always the same, and fit to be sold."""

from pathlib import Path

import pytest

from daybook.commands import ConfigureChannel, DescribeProduct
from daybook.demo.catalogue import (
    CHANNELS,
    LOCALES,
    LOCATIONS,
    NO_BRAND_SKU,
    TOO_DEAR_SKU,
    generate,
    write,
)
from daybook.errors import InvalidValue
from daybook.importing import jsonl, records
from daybook.values import gtin_problem, parse_money


def described(products: int = 300, seed: int = 1) -> list[DescribeProduct]:
    return [record for record in generate(products, seed) if isinstance(record, DescribeProduct)]


def sold(products: int = 300, seed: int = 1) -> list[DescribeProduct]:
    return [product for product in described(products, seed) if product.kind != "model"]


@pytest.mark.parametrize("products", [2, 37, 300, 5000])
def test_it_has_exactly_as_many_products_for_sale_as_asked_for(products: int) -> None:
    assert len(sold(products)) == products


def test_the_same_arguments_give_the_same_catalogue_and_another_seed_another_one() -> None:
    assert list(generate(60, seed=7)) == list(generate(60, seed=7))
    assert list(generate(60, seed=7)) != list(generate(60, seed=8))


def test_a_small_catalogue_is_the_beginning_of_a_large_one() -> None:
    small = described(50)

    assert described(300)[: len(small)] == small


def test_fewer_than_the_two_flawed_products_are_refused() -> None:
    with pytest.raises(InvalidValue, match="at least 2"):
        list(generate(1))


def test_skus_and_gtins_are_unique_and_every_gtin_is_valid_and_from_the_in_store_range() -> None:
    products = described(5000)
    gtins = [product.gtin for product in products if isinstance(product.gtin, str)]

    assert len({product.sku for product in products}) == len(products)
    assert len(set(gtins)) == len(gtins) == 5000
    assert all(gtin_problem(gtin) is None and 20 <= int(gtin[:2]) <= 29 for gtin in gtins)


def test_parents_come_before_their_variants_and_every_model_has_some() -> None:
    seen: dict[str, DescribeProduct] = {}
    for product in described():
        if product.parent:
            assert seen[product.parent].kind == "model"
        seen[product.sku] = product

    assert {p.sku for p in seen.values() if p.kind == "model"} == {p.parent for p in seen.values() if p.parent}


def test_variants_say_which_value_they_have_on_each_axis_of_their_models() -> None:
    by_sku = {product.sku: product for product in described()}
    for variant in (product for product in by_sku.values() if product.kind == "variant"):
        chain = [variant]
        while above := chain[-1].parent:
            chain.append(by_sku[above])
        axes = {axis for model in chain for axis in model.axes or ()}
        said = {change.attribute for product in chain for change in product.attributes or ()}
        assert axes
        assert axes <= said


@pytest.mark.parametrize("seed", [1, 2, 99])
def test_exactly_one_product_has_no_brand_and_exactly_one_costs_more_than_bol_allows(seed: int) -> None:
    roots = [product for product in described(1000, seed) if product.parent is None]
    no_brand = [p.sku for p in roots if all(change.attribute != "brand" for change in p.attributes or ())]
    too_dear = [
        p.sku
        for p in roots
        if any(
            price.currency == "EUR" and parse_money(price.amount, "EUR").amount > 999_900 for price in p.prices or ()
        )
    ]

    assert no_brand == [NO_BRAND_SKU]
    assert too_dear == [TOO_DEAR_SKU]


def test_every_root_has_a_price_in_euros_a_name_in_three_languages_and_is_listed_everywhere() -> None:
    some_in_pounds = False
    for product in described():
        if product.parent is not None:
            continue
        assert product.prices
        assert product.attributes
        assert product.prices[0].currency == "EUR"
        some_in_pounds |= len(product.prices) > 1
        names = {change.locale for change in product.attributes if change.attribute == "name"}
        assert names == set(LOCALES)
        assert product.channels == dict.fromkeys(CHANNELS, True)
    assert some_in_pounds


def test_some_dutch_descriptions_are_missing_so_that_fallbacks_are_seen() -> None:
    roots = [product for product in described() if product.parent is None]
    without = [
        p
        for p in roots
        if all((c.attribute, c.locale) != ("description", "nl-NL") for c in p.attributes or ())
        and any((c.attribute, c.locale) == ("description", "en-GB") for c in p.attributes or ())
    ]

    assert 0 < len(without) < len(roots) / 2


def test_what_is_sold_has_stock_in_two_places_and_pictures_have_absolute_addresses() -> None:
    for product in sold():
        assert product.stock
        assert tuple(product.stock) == LOCATIONS
    for item in (item for product in described() for item in product.media or ()):
        assert str(item.url).startswith("https://images.example.com/")


def test_every_channel_is_configured() -> None:
    configured = [record.channel.name for record in generate(2) if isinstance(record, ConfigureChannel)]

    assert configured == list(CHANNELS)


def test_the_written_file_reads_back_as_the_same_records(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"

    write(path, 40, seed=3)

    assert [row.record for row in jsonl.read(path)] == list(generate(40, seed=3))
    assert path.read_bytes().startswith(records.encode(records.Header()))
