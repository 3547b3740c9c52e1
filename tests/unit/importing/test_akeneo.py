"""An Akeneo export, read: what each file becomes, and what is told about the rest."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from daybook.commands import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily, DescribeProduct
from daybook.commands.describe import MediaItem, Price
from daybook.events import AttributeChange, AttributeOption, CategoryDefined, Measure
from daybook.importing import akeneo, records
from daybook.importing.rows import Entry, ImportRefused, Notice, Row
from tests.fixtures.shared import ICECAT, needs_icecat

FILES = {
    "attributes.csv": [
        "code;type;label-en_US;label-nl_NL;localizable;scopable;unique;default_metric_unit;decimals_allowed;"
        "negative_allowed;max_characters;number_min;number_max;date_min;date_max;validation_regexp",
        "sku;pim_catalog_identifier;SKU;;0;0;1;;;;;;;;;",
        "name;pim_catalog_text;Name;Naam;1;0;0;;;;80;;;;;",
        "text;pim_catalog_textarea;Text;;1;1;0;;;;;;;;;",
        "weight;pim_catalog_metric;Weight;;0;0;0;KILOGRAM;1;0;;;;;;",
        "pages;pim_catalog_number;Pages;;0;0;0;;0;1;;-5;900.5;;;",
        "ready;pim_catalog_boolean;Ready;;0;0;0;;;;;;;;;",
        "since;pim_catalog_date;Since;;0;0;0;;;;;;;2020-01-01;2030-01-01;",
        "color;pim_catalog_simpleselect;Colour;;0;0;0;;;;;;;;;",
        "tags;pim_catalog_multiselect;Tags;;0;0;0;;;;;;;;;",
        "fabric;pim_reference_data_simpleselect;Fabric;;0;0;0;;;;;;;;;",
        "picture;pim_catalog_image;Picture;;0;0;0;;;;;;;;;",
        "manual;pim_catalog_file;Manual;;1;0;0;;;;;;;;;",
        "price;pim_catalog_price_collection;Price;;0;0;0;;1;;;;;;;",
        "cost;pim_catalog_price_collection;Cost;;0;1;0;;1;;;;;;;",
        "ean;pim_catalog_text;EAN;;0;0;1;;;;;;;;;",
        "zip;pim_catalog_text;Zip;;0;0;0;;;;;;;;;/^[0-9]{4} ?[a-z]{2}$/i",
    ],
    "attribute_options.csv": [
        "code;attribute;sort_order;label-en_US",
        "blue;color;2;Blue",
        "Red;color;1;Red",
        "new;tags;1;New",
        "sale;tags;2;Sale",
    ],
    "categories.csv": ["code;parent;label-en_US", "shirts;clothes;Shirts", "clothes;;Clothes"],
    "families.csv": [
        "code;label-en_US;attributes;attribute_as_image;attribute_as_label;requirements-ecommerce;requirements-print",
        "shirts;Shirts;sku,name,color,ean,price;picture;name;name,ean,color;name",
    ],
    "channels.csv": ["code;locales;currencies;tree", "ecommerce;nl_NL,de_DE,en_US;EUR;clothes"],
    "family_variants.csv": [
        "code;family;variant-axes_1;variant-axes_2",
        "by_color;shirts;color;",
        "by_color_tags;shirts;color;tags,ean",
    ],
    "product_models.csv": [
        "code;family_variant;parent;categories;name-en_US",
        "sub;by_color_tags;root;;",
        "root;by_color_tags;;clothes;Root",
    ],
    "products.csv": ["sku;categories;enabled;family;parent;name-en_US", "P1;shirts;1;shirts;;Shirt"],
}
BOL = akeneo.AkeneoOptions(list_on=("bol",))


def folder(tmp_path: Path, **changed: list[str] | None) -> Path:
    """The export above, with other files where they are named: `products=[...]`; None for a missing one."""
    files: dict[str, list[str] | None] = {**FILES, **{f"{name}.csv": lines for name, lines in changed.items()}}
    for name, lines in files.items():
        if lines is not None:
            (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def rows(entries: Any) -> list[Row]:
    return [entry for entry in entries if isinstance(entry, Row)]


def products_of(tmp_path: Path, *lines: str, options: akeneo.AkeneoOptions | None = None) -> list[Row]:
    found = rows(akeneo.read(folder(tmp_path, products=list(lines)), options))
    return [row for row in found if row.file == "products.csv"]


def one_product(tmp_path: Path, header: str, line: str, options: akeneo.AkeneoOptions | None = None) -> DescribeProduct:
    (row,) = products_of(tmp_path, header, line, options=options)
    assert isinstance(row.record, DescribeProduct), row.flags
    return row.record


def refusals(row: Row) -> list[tuple[str | None, str | None]]:
    assert row.record is None
    return [(flag.field, flag.value) for flag in row.flags]


def of_kind(kind: type[Any], entries: Any) -> dict[str, Any]:
    return {
        records.name(row.record): row.record
        for row in rows(entries)
        if row.record is not None and isinstance(row.record, kind)
    }


def test_attributes_keep_their_type_labels_and_limits(tmp_path: Path) -> None:
    found = of_kind(DefineAttribute, akeneo.read(folder(tmp_path)))
    defined = {code: command.attribute for code, command in found.items()}

    assert {code: one.type for code, one in defined.items()} == {
        "sku": "identifier",
        "name": "text",
        "text": "textarea",
        "weight": "measure",
        "pages": "number",
        "ready": "boolean",
        "since": "date",
        "color": "select",
        "tags": "multiselect",
        "fabric": "select",
        "picture": "media",
        "manual": "media",
        "price": "price",
        "cost": "price",
        "zip": "text",
    }
    assert defined["name"].labels == {"en-US": "Name", "nl-NL": "Naam"}
    assert (defined["name"].localizable, defined["name"].scopable, defined["name"].length_max) == (True, False, 80)
    assert (defined["text"].localizable, defined["text"].scopable) == (True, True)
    assert (defined["weight"].unit, defined["weight"].minimum) == ("KILOGRAM", "0")
    assert (defined["pages"].minimum, defined["pages"].maximum) == ("-5", "900.5")
    assert (defined["since"].minimum, defined["since"].maximum) == ("2020-01-01", "2030-01-01")
    assert defined["zip"].pattern == "(?ai)^[0-9]{4} ?[a-z]{2}$"
    assert defined["color"].options == (
        AttributeOption("Red", {"en-US": "Red"}),
        AttributeOption("blue", {"en-US": "Blue"}),
    )


def test_the_gtin_attribute_is_the_gtin_and_no_attribute_beside_it(tmp_path: Path) -> None:
    entries = list(akeneo.read(folder(tmp_path, products=["sku;categories;family;ean", "P1;;shirts;4006381333931"])))

    assert "ean" not in of_kind(DefineAttribute, entries)
    family = of_kind(DefineFamily, entries)["shirts"].family
    assert family.attributes == ("sku", "name", "color", "price")
    assert family.required == {"ecommerce": ("name", "color"), "print": ("name",)}
    assert (family.label_attribute, family.image_attribute) == ("name", "picture")
    product = of_kind(DescribeProduct, entries)["P1"]
    assert product.gtin == "4006381333931"
    assert product.attributes == ()


def test_categories_come_parents_first_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    found = of_kind(DefineCategory, akeneo.read(folder(tmp_path)))

    assert [command.category for command in found.values()] == [
        CategoryDefined(code="clothes", labels={"en-US": "Clothes"}),
        CategoryDefined(code="shirts", parent="clothes", labels={"en-US": "Shirts"}),
    ]


def test_a_category_without_its_parent_is_given_all_the_same_so_that_the_book_names_it(tmp_path: Path) -> None:
    found = of_kind(DefineCategory, akeneo.read(folder(tmp_path, categories=["code;parent", "a;lost", "b;"])))

    assert [(code, one.category.parent) for code, one in found.items()] == [("b", None), ("a", "lost")]


def test_models_come_root_first_with_the_axes_of_their_level(tmp_path: Path) -> None:
    header = "sku;categories;family;parent;color"
    entries = list(akeneo.read(folder(tmp_path, products=[header, "V1;;;sub;blue", "V2;;;SUB;red"])))

    found = of_kind(DescribeProduct, entries)
    assert list(found) == ["root", "sub", "V1", "V2"]
    assert [(one.kind, one.parent, one.family, one.axes) for one in found.values()] == [
        ("model", None, "shirts", ("color",)),
        ("model", "root", "shirts", ("tags",)),
        ("variant", "sub", "shirts", UNSET),
        ("variant", "sub", "shirts", UNSET),
    ]


def test_columns_become_values_for_their_locale_and_scope(tmp_path: Path) -> None:
    product = one_product(
        tmp_path,
        "sku;categories;family;name-en_US;name-nl_NL;text-nl_NL-print;weight;weight-unit;pages;ready;since;color;tags",
        "P1;shirts,clothes;shirts;Shirt;Hemd;Lang;2.50;POUND;12.5;1;2024-02-29;RED;new,sale",
    )

    assert product.attributes == (
        AttributeChange(attribute="name", locale="en-US", value="Shirt"),
        AttributeChange(attribute="name", locale="nl-NL", value="Hemd"),
        AttributeChange(attribute="text", locale="nl-NL", channel="print", value="Lang"),
        AttributeChange(attribute="weight", value=Measure("2.50", "POUND")),
        AttributeChange(attribute="pages", value=12.5),
        AttributeChange(attribute="ready", value=True),
        AttributeChange(attribute="since", value="2024-02-29"),
        AttributeChange(attribute="color", value="Red"),
        AttributeChange(attribute="tags", value=["new", "sale"]),
    )
    assert product.categories == ("shirts", "clothes")
    assert product.gtin is UNSET


def test_a_measure_without_a_unit_has_the_attributes_default_unit(tmp_path: Path) -> None:
    product = one_product(tmp_path, "sku;categories;family;weight;weight-unit", "P1;;shirts;2;")

    assert product.attributes == (AttributeChange(attribute="weight", value=Measure("2", "KILOGRAM")),)


def test_prices_go_into_price_lists_and_files_become_media(tmp_path: Path) -> None:
    product = one_product(
        tmp_path,
        "sku;categories;family;price-EUR;price-USD;cost-ecommerce-EUR;picture;manual-nl_NL",
        "P1;;shirts;19.99;;7;img/a.jpg;doc/a.pdf",
    )

    assert product.prices == (
        Price(amount="19.99", currency="EUR"),
        Price(amount=None, currency="USD"),
        Price(amount="7", currency="EUR", price_list="cost"),
    )
    assert product.media == (
        MediaItem(media_id="picture", url="img/a.jpg", role="picture", locale=None, channel=None),
        MediaItem(media_id="manual@nl-NL", url="doc/a.pdf", role="manual", locale="nl-NL", channel=None),
    )


def test_a_file_that_is_a_pipe_is_read_like_any_other(tmp_path: Path) -> None:
    lines = ["sku;categories;family;name-nl_NL", "P1;;shirts;Hemd", "P2;;shirts;Blouse"]
    there = folder(tmp_path, products=None)
    os.mkfifo(there / "products.csv")
    with ThreadPoolExecutor(1) as other:
        other.submit((there / "products.csv").write_text, "\n".join(lines) + "\n")
        found = [row.record for row in rows(akeneo.read(there)) if isinstance(row.record, DescribeProduct)]

    assert [one.sku for one in found][-2:] == ["P1", "P2"]


def test_of_several_channels_none_of_the_usual_name_one_must_be_chosen_to_list_products(tmp_path: Path) -> None:
    channels = ["code;locales;currencies;tree", "web_eu;nl_NL,en_US;EUR;clothes", "web_us;en_US;USD;clothes"]
    there = folder(tmp_path, channels=channels)

    with pytest.raises(ImportRefused, match="choose with --channel whose values are shown, among: web_eu, web_us"):
        akeneo.read(there, akeneo.AkeneoOptions(list_on=("shop",)))

    chosen = akeneo.AkeneoOptions(list_on=("shop",), scope="web_us")
    (channel,) = [
        row.record.channel for row in rows(akeneo.read(there, chosen)) if isinstance(row.record, ConfigureChannel)
    ]
    assert (channel.scope, channel.locales, channel.currency) == ("web_us", ("en-US",), "USD")
    assert rows(akeneo.read(there))


def test_the_only_identifier_is_the_sku_and_of_several_one_must_be_chosen(tmp_path: Path) -> None:
    attributes = [line for line in FILES["attributes.csv"] if not line.startswith("sku;")]
    ean = "ean;pim_catalog_identifier;EAN;;0;0;1;;;;;;;;;"
    attributes = [*(line for line in attributes if not line.startswith("ean;")), ean]
    lines = ["ean;categories;family;name-nl_NL", "2000000000459;;shirts;Hemd"]

    *_, row = rows(akeneo.read(folder(tmp_path, attributes=attributes, products=lines)))
    assert isinstance(row.record, DescribeProduct)
    assert (row.record.sku, row.record.gtin) == ("2000000000459", "2000000000459")

    there = folder(tmp_path, attributes=[*attributes, ean.replace("ean;", "code;")], products=lines)
    with pytest.raises(ImportRefused, match="choose the SKU with --identifier among: ean, code"):
        akeneo.read(there)
    *_, row = rows(akeneo.read(there, akeneo.AkeneoOptions(identifier="ean")))
    assert isinstance(row.record, DescribeProduct) and row.record.sku == "2000000000459"


def test_columns_that_are_named_by_labels_are_told_with_how_to_export_them(tmp_path: Path) -> None:
    there = folder(tmp_path, products=["SKU;Categories;Family;Name (Dutch)", "P1;;shirts;Hemd"])

    with pytest.raises(ImportRefused, match="export it again with codes as headers, not labels"):
        akeneo.read(there)


def test_enabled_products_are_listed_on_the_chosen_channels_and_others_taken_off(tmp_path: Path) -> None:
    lines = ("sku;categories;family;enabled", "P1;;shirts;1", "P2;;shirts;0")

    listed = [
        row.record for row in products_of(tmp_path, *lines, options=akeneo.AkeneoOptions(list_on=("bol", "webshop")))
    ]
    left_alone = [row.record for row in products_of(tmp_path, *lines)]

    assert [one.channels for one in listed if isinstance(one, DescribeProduct)] == [
        {"bol": True, "webshop": True},
        {"bol": False, "webshop": False},
    ]
    assert [one.channels for one in left_alone if isinstance(one, DescribeProduct)] == [UNSET, UNSET]


def test_a_chosen_channel_gets_a_first_configuration_that_gives_way_to_an_existing_one(tmp_path: Path) -> None:
    (row,) = [row for row in rows(akeneo.read(folder(tmp_path), BOL)) if isinstance(row.record, ConfigureChannel)]

    assert isinstance(row.record, ConfigureChannel)
    assert row.keep_existing
    assert row.record.channel.name == "bol"
    assert row.record.channel.scope == "ecommerce"
    assert row.record.channel.locales == ("en-US", "nl-NL", "de-DE")


def test_a_scope_that_the_export_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"no channel 'web'; choose with --channel among: ecommerce"):
        akeneo.read(folder(tmp_path), akeneo.AkeneoOptions(list_on=("bol",), scope="web"))


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("pages", "many", "must be a number"),
        ("pages", "1,5", "must be a number"),
        ("pages", "NaN", "must be a number"),
        ("pages", "0.12345678901234567891", "more digits than a number can keep"),
        ("ready", "maybe", "must be 1 or 0"),
        ("weight", "heavy", "must be a number"),
    ],
)
def test_a_row_with_a_value_that_does_not_fit_is_refused_whole(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    bad, good = products_of(tmp_path, f"sku;categories;family;{column}", f"P1;;shirts;{cell}", "P2;;shirts;")

    assert (bad.line, bad.name) == (2, "P1")
    assert refusals(bad) == [(column, cell)]
    assert reason in bad.flags[0].reason
    assert good.record is not None


def test_every_reason_of_a_refused_row_is_told(tmp_path: Path) -> None:
    (row,) = products_of(tmp_path, "sku;categories;enabled;family;pages;ready", "a b;;yes;shirts;x;y", options=BOL)

    assert refusals(row) == [("enabled", "yes"), ("pages", "x"), ("ready", "y"), ("sku", "a b")]


def test_a_row_with_too_few_or_too_many_cells_is_refused_and_the_next_one_is_read(tmp_path: Path) -> None:
    found = products_of(tmp_path, "sku;categories;family", "P1;shirts", "P2;;shirts;more", "P3;;shirts")

    assert [row.record is None for row in found] == [True, True, False]
    assert found[0].flags[0].reason == "has 2 cells, but the header names 3 columns"


def test_lines_are_those_of_the_file_when_a_quoted_cell_spans_several(tmp_path: Path) -> None:
    found = products_of(
        tmp_path, "sku;categories;family;name-en_US", 'P1;;shirts;"one', "two;", 'three"', "", "P2;;shirts;x"
    )

    assert [row.line for row in found] == [2, 6]
    assert isinstance(found[0].record, DescribeProduct)
    assert found[0].record.attributes == (AttributeChange(attribute="name", locale="en-US", value="one\ntwo;\nthree"),)


def test_a_model_of_an_unknown_family_variant_is_refused(tmp_path: Path) -> None:
    models = ["code;family_variant;parent;categories", "root;nowhere;;"]
    (row,) = [row for row in rows(akeneo.read(folder(tmp_path, product_models=models))) if row.record is None]

    assert (row.file, row.line, row.name) == ("product_models.csv", 2, "root")
    assert refusals(row) == [("family_variant", "nowhere")]


def notices(entries: Any) -> dict[str, str]:
    return {entry.field: entry.reason for entry in entries if isinstance(entry, Notice)}


def test_columns_that_are_not_imported_are_told_once_each_when_they_hold_something(tmp_path: Path) -> None:
    header = "sku;categories;family;groups;X_SELL-products;PACK-groups;colour;name-xx_XX;name;price-EURO"
    lines = [header, "P1;;shirts;promo;P2;;red;x;y;5", "P2;;shirts;promo;;;;;;"]

    told = notices(akeneo.read(folder(tmp_path, products=lines)))

    assert list(told) == ["groups", "X_SELL-products", "colour", "name-xx_XX", "name", "price-EURO"]
    assert "2 rows hold something" in told["groups"]
    assert "no associations and groups" in told["X_SELL-products"]
    assert "defines no attribute 'colour'" in told["colour"]
    assert "'xx_XX' is no known locale" in told["name-xx_XX"]
    assert "columns of name are named name-<locale>" in told["name"]
    assert "no ISO 4217 currency" in told["price-EURO"]


def test_an_attribute_that_is_not_taken_takes_its_columns_and_its_place_in_families_along(tmp_path: Path) -> None:
    attributes = [*FILES["attributes.csv"], "grid;pim_catalog_table;;;0;0;0;;;;;;;;;", "-x;pim_catalog_text" + ";" * 14]
    families = [FILES["families.csv"][0], "shirts;;sku,grid;;;grid,name;"]
    products = ["sku;categories;family;grid", "P1;;shirts;[]"]

    entries: list[Entry] = list(
        akeneo.read(folder(tmp_path, attributes=attributes, families=families, products=products))
    )

    refused = [row for row in rows(entries) if row.record is None]
    assert [(row.name, row.noun) for row in refused] == [("grid", "attribute"), ("-x", "attribute")]
    assert refused[0].flags[0].reason == "type 'pim_catalog_table' is not supported"
    family = of_kind(DefineFamily, entries)["shirts"].family
    assert (family.attributes, family.required["ecommerce"]) == (("sku",), ("name",))
    assert list(notices(entries)) == ["grid"]
    assert of_kind(DescribeProduct, entries)["P1"].attributes == ()


def test_a_limit_that_can_not_be_read_is_left_out_and_flagged(tmp_path: Path) -> None:
    attributes = [FILES["attributes.csv"][0], "sku" + ";pim_catalog_identifier" + ";" * 14]
    attributes.append("name;pim_catalog_text;;;0;0;0;;;;;;;;;/[/")
    attributes.append("size;pim_catalog_number;;;0;0;0;;;1;;low;;;;")
    attributes.append("long;pim_catalog_text;;;0;0;0;;;;1e999;;;;;")

    found = {
        records.name(row.record): row
        for row in rows(akeneo.read(folder(tmp_path, attributes=attributes)))
        if isinstance(row.record, DefineAttribute)
    }

    for code, field in (("name", "validation_regexp"), ("size", "number_min"), ("long", "max_characters")):
        record = found[code].record
        assert isinstance(record, DefineAttribute)
        assert (record.attribute.pattern, record.attribute.minimum, record.attribute.length_max) == (None,) * 3
        assert [flag.field for flag in found[code].flags] == [field]


def test_options_of_an_attribute_that_is_not_there_are_reported(tmp_path: Path) -> None:
    options = [*FILES["attribute_options.csv"], "x;nowhere;1;X"]

    (row,) = [row for row in rows(akeneo.read(folder(tmp_path, attribute_options=options))) if row.record is None]

    assert (row.file, row.line) == ("attribute_options.csv", 6)
    assert "'nowhere'" in row.flags[0].reason


def test_every_malformed_file_is_named_before_anything_is_given(tmp_path: Path) -> None:
    path = folder(tmp_path, families=None, categories=["code,parent", "a,b"], channels=["code;code;locales", "a;b;c"])
    (path / "attribute_options.csv").write_bytes(b"code;attribute\nblau;farbe\nwei\xdf;farbe\n")
    (path / "products.csv").write_text('sku;categories;family\nP1;;shirts\nP2;"shirts;never closed\nP3;;\n')

    with pytest.raises(ImportRefused) as error:
        akeneo.read(path)

    assert [(fault.file, fault.line) for fault in error.value.faults] == [
        ("attribute_options.csv", 3),
        ("categories.csv", 1),
        ("families.csv", None),
        ("channels.csv", 1),
        ("products.csv", 3),
    ]
    told = [fault.reason for fault in error.value.faults]
    assert "is not UTF-8" in told[0]
    assert "has no column code, parent (is the delimiter a semicolon?)" in told[1]
    assert "is missing" in told[2]
    assert "names a column twice: code" in told[3]


def test_variants_without_the_files_of_their_models_are_refused(tmp_path: Path) -> None:
    products = ["sku;categories;family;parent", "V1;;shirts;root"]

    with pytest.raises(ImportRefused, match=r"product_models\.csv: is missing"):
        akeneo.read(folder(tmp_path, products=products, product_models=None, family_variants=None))


def test_a_catalogue_without_models_needs_no_files_for_them(tmp_path: Path) -> None:
    assert rows(akeneo.read(folder(tmp_path, product_models=None, family_variants=None)))


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="is no folder"):
        akeneo.read(tmp_path / "nowhere")


@needs_icecat
def test_the_real_catalogue_is_understood_whole() -> None:
    assert ICECAT is not None
    entries = list(akeneo.read(ICECAT, BOL))

    kinds = {kind: len(of_kind(kind, entries)) for kind in (DefineAttribute, DefineFamily, DefineCategory)}
    products = of_kind(DescribeProduct, entries)
    assert kinds == {DefineAttribute: 76, DefineFamily: 17, DefineCategory: 168}
    assert len(products) == 1239 + 81
    assert [row for row in rows(entries) if row.record is None or row.flags] == []
    assert notices(entries) == {}
    assert all(one.parent is None or products[one.parent].kind == "model" for one in products.values())
    assert sum(bool(one.gtin) for one in products.values()) == 115


@needs_icecat
def test_the_real_catalogue_without_its_families_is_refused(tmp_path: Path) -> None:
    assert ICECAT is not None
    copy = tmp_path / "icecat"
    shutil.copytree(ICECAT, copy, copy_function=shutil.copyfile)
    copy.chmod(0o755)
    (copy / "families.csv").unlink()

    with pytest.raises(ImportRefused, match=r"families\.csv: is missing"):
        akeneo.read(copy, BOL)
