"""An Akeneo import over what the book holds: what the files have no column for, and know nothing of, stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daybook import commands as c
from daybook import events as e
from daybook.app import App
from daybook.catalogue.group import Group, fold_group
from daybook.channel.registry import Registry
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.exporting.catalogue import export
from daybook.importing import akeneo, jsonl
from daybook.importing.ingest import ingest
from daybook.importing.report import Report
from daybook.log.pending import Context
from daybook.product.state import Product

FILES: dict[str, list[str]] = {
    "attributes": [
        "code;type;label-en_US;localizable;scopable;default_metric_unit;max_characters;date_min;date_max;validation_regexp",
        "sku;pim_catalog_identifier;SKU;0;0;;;;;",
        "name;pim_catalog_text;Name;1;0;;80;;;",
        "note;pim_catalog_text;Note;0;1;;;;;",
        "color;pim_catalog_simpleselect;Colour;0;0;;;;;",
        "size;pim_catalog_simpleselect;Size;0;0;;;;;",
        "weight;pim_catalog_metric;Weight;0;0;GRAM;;;;",
        "since;pim_catalog_date;Since;0;0;;;2020-01-01;2035-12-31T00:00:00+00:00;",
        "price;pim_catalog_price_collection;Price;0;0;;;;;",
        "ean;pim_catalog_text;EAN;0;0;;;;;",
        "image;pim_catalog_image;Picture;0;0;;;;;",
        "article;pim_catalog_text;Article;0;0;;;;;/^[[:alnum:]]{4,8}$/",
        "letters;pim_catalog_text;Letters;0;0;;;;;/^[\\p{L} ]+$/u",
    ],
    "attribute_options": [
        "code;attribute;sort_order;label-en_US",
        "xl;size;30;XL",
        "s;size;5;S",
        "m;size;20;M",
        "l;size;;L",
        "red;color;2;Red",
        "blue;color;1;Blue",
    ],
    "categories": ["code;parent;label-en_US", "master;;Master", "goods;master;Goods", "old;master;Old"],
    "families": [
        "code;label-en_US;attributes;requirements-ecommerce",
        "goods;Goods;sku,name,color;sku,name",
        "toys;Toys;sku,name;sku",
    ],
    "channels": ["code;currencies;locales", "ecommerce;EUR,USD;en_US,nl_NL"],
    "family_variants": ["code;family;variant-axes_1;variant-axes_2", "by_size;goods;size;", "by_color;goods;color;"],
    "product_models": [
        "code;family_variant;parent;categories;name-en_US",
        "TEE;by_size;;goods;Tee",
        "CAP;by_size;;;Cap",
    ],
}
FULL = [
    "sku;categories;enabled;family;parent;name-en_US;name-nl_NL;note-ecommerce;note-print;color;weight;weight-unit;price-EUR;"
    "price-USD;ean;image",
    "A;goods,old;1;goods;;Kettle;Ketel;web;paper;red;5;GRAM;7.00;8.00;4006381333931;a.jpg",
]


@pytest.fixture
def app(tmp_path: Path, database: str) -> Iterator[App]:
    with App(Settings(data=tmp_path, postgres=database), Registry([])) as made:
        yield made


def taken(
    app: App, where: Path, *products: str, options: Any = None, dry_run: bool = False, **files: list[str]
) -> Report:
    """Imports the files above with these products; files that are named replace theirs."""
    where.mkdir(exist_ok=True)
    for name, lines in {**FILES, **files, "products": list(products)}.items():
        (where / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ingest(app.book, akeneo.read(where, options), actor="importer", dry_run=dry_run)


def product(app: App, sku: str) -> Product:
    found, _ = app.book.product(sku)
    assert found is not None
    return found


def carry(app: App, *commands: Command) -> None:
    for command in commands:
        app.book.carry_out(command, Context.new("merchandiser", "test"))


def group(app: App, key: str) -> Group:
    found: Group | None = None
    for one in app.reader.of_key(key):
        found = fold_group(found, one)
    assert found is not None
    return found


GONE: dict[str, dict[str, Any]] = {
    "price-EUR": {"prices": {"default": {"EUR": 700, "USD": 800}}},
    "price-USD": {"prices": {"default": {"EUR": 700, "USD": 800}}},
    "ean": {"gtin": "4006381333931"},
    "image": {"media": ["image"]},
    "name-nl_NL": {"name@nl-NL": "Ketel"},
    "note-print": {"note#print": "paper"},
    "color": {"color": "red"},
    "weight": {"weight": e.Measure("5", "GRAM")},
    "categories": {"categories": ("goods", "old")},
}


def held(found: Product, field: str) -> Any:
    if field == "media":
        return list(found.media)
    return found.attributes.get(field) if field not in ("prices", "gtin", "categories") else getattr(found, field)


@pytest.mark.parametrize("column", GONE)
def test_a_column_that_is_not_in_the_file_leaves_its_value_alone(app: App, tmp_path: Path, column: str) -> None:
    taken(app, tmp_path / "full", *FULL)
    cells = [line.split(";") for line in FULL]
    left = [name not in (column, f"{column}-unit") for name in cells[0]]
    without = [";".join(one for one, kept in zip(line, left, strict=True) if kept) for line in cells]

    report = taken(app, tmp_path / "part", *without)

    assert report.ok and report.counts["product"].unchanged == 3
    for field, value in GONE[column].items():
        assert held(product(app, "A"), field) == value


@pytest.mark.parametrize(
    ("column", "field", "left"),
    [
        ("price-EUR", "prices", {"default": {"USD": 800}}),
        ("ean", "gtin", None),
        ("image", "media", []),
        ("name-nl_NL", "name@nl-NL", None),
        ("note-print", "note#print", None),
        ("color", "color", None),
        ("weight", "weight", None),
        ("categories", "categories", ()),
    ],
)
def test_an_empty_cell_in_a_column_that_is_there_removes(
    app: App, tmp_path: Path, column: str, field: str, left: Any
) -> None:
    taken(app, tmp_path / "full", *FULL)
    cells = FULL[1].split(";")
    cells[FULL[0].split(";").index(column)] = ""

    report = taken(app, tmp_path / "empty", FULL[0], ";".join(cells))

    assert report.counts["product"].changed == 1
    assert held(product(app, "A"), field) == left


def test_what_only_the_book_has_stays(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)
    carry(
        app,
        c.DefineAttribute(attribute=e.AttributeDefined(code="own", type="text")),
        c.DefineCategory(category=e.CategoryDefined(code="sale")),
        c.SetAttributes(sku="A", changes=(e.AttributeChange(attribute="own", value="ours"),)),
        c.CategoriseProduct(sku="A", categories=("goods", "sale", "old")),
        c.AddMedia(sku="A", media=e.MediaAdded(media_id="ours", url="ours.jpg")),
        c.ChangePrice(sku="A", amount="5", currency="EUR", price_list="outlet"),
    )
    head = app.reader.head()

    assert taken(app, tmp_path, *FULL).ok

    found = product(app, "A")
    assert app.reader.head() == head
    assert (found.attributes["own"], found.categories) == ("ours", ("goods", "sale", "old"))
    assert list(found.media) == ["image", "ours"]
    assert found.prices["outlet"] == {"EUR": 500}
    moved = FULL[1].replace("goods,old", "goods")
    taken(app, tmp_path, FULL[0], moved)
    assert product(app, "A").categories == ("goods", "sale")


def test_definitions_keep_what_the_files_have_no_column_for(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)
    before = app.book.reference()
    name = before.attributes["name"]
    carry(
        app,
        c.DefineAttribute(attribute=e.AttributeDefined(code="own", type="text")),
        c.DefineAttribute(
            attribute=e.AttributeDefined(
                code="name", type="text", localizable=True, labels={"en-US": "Name", "nl-NL": "Naam"}, length_max=80
            )
        ),
        c.DefineAttribute(
            attribute=e.AttributeDefined(
                code="color", type="select", options=(*before.attributes["color"].options, e.AttributeOption("own"))
            )
        ),
        c.DefineFamily(
            family=e.FamilyDefined(
                code="goods",
                labels={"en-US": "Goods"},
                attributes=("own", "sku", "name", "color"),
                required={"ecommerce": ("sku", "name", "own"), "print": ("name",)},
            )
        ),
    )
    narrow = ["code;type;label-en_US;localizable", "sku;pim_catalog_identifier;SKU;0", "name;pim_catalog_text;Name;1"]
    narrow += ["color;pim_catalog_simpleselect;Colour;0", "size;pim_catalog_simpleselect;Size;0"]

    report = taken(app, tmp_path, "sku;family", "A;goods", attributes=narrow)
    assert report.ok, report.problems

    after = app.book.reference()
    assert name.length_max == after.attributes["name"].length_max == 80
    assert after.attributes["name"].labels == {"en-US": "Name", "nl-NL": "Naam"}
    assert [one.code for one in after.attributes["color"].options] == ["blue", "red", "own"]
    assert after.families["goods"].attributes == ("sku", "name", "color", "own")
    assert after.families["goods"].required == {"ecommerce": ("sku", "name", "own"), "print": ("name",)}


def test_options_keep_their_order_and_limits_their_value_when_the_files_say_neither(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)
    rank = e.AttributeDefined(code="rank", type="number", minimum="1", maximum="10")
    carry(app, c.DefineAttribute(attribute=rank))
    before = app.book.reference().attributes
    dates = [
        "code;type;date_min;date_max;negative_allowed",
        "sku;pim_catalog_identifier;;;",
        "rank;pim_catalog_number;;;1",
    ]
    dates += ["size;pim_catalog_simpleselect;;;", "since;pim_catalog_date;;;", "name;pim_catalog_text;;;"]
    dates += ["color;pim_catalog_simpleselect;;;"]
    options = ["code;attribute", "xxl;size", "xl;size", "l;size", "m;size", "s;size"]

    report = taken(app, tmp_path, "sku;family", "A;goods", attributes=dates, attribute_options=options)

    after = app.book.reference().attributes
    assert report.ok and after["rank"] == rank
    assert [one.code for one in after["size"].options] == [*(one.code for one in before["size"].options), "xxl"]
    assert before["since"].minimum and after["since"].minimum is None


def test_a_json_line_that_defines_keeps_what_it_leaves_out(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)
    before = app.book.reference()
    shop = e.ChannelConfigured(name="shop", locales=("nl-NL",), currency="GBP", price_list="sale", extra={"page": "x"})
    carry(app, c.ConfigureChannel(channel=shop))
    lines = [
        '{"type":"define_attribute","attribute":{"code":"size","type":"select","labels":{"nl-NL":"Maat"}}}',
        '{"type":"define_category","category":{"code":"old","labels":{"nl-NL":"Oud"}}}',
        '{"type":"define_family","family":{"code":"goods","label_attribute":"name"}}',
        '{"type":"configure_channel","channel":{"name":"shop","price_list":"outlet"}}',
    ]
    (tmp_path / "parts.jsonl").write_text("\n".join(lines))

    report = ingest(app.book, jsonl.read(tmp_path / "parts.jsonl"), actor="importer")

    after = app.book.reference()
    assert report.ok and sum(tally.changed for tally in report.counts.values()) == 4
    assert after.attributes["size"] == replace(before.attributes["size"], labels={"nl-NL": "Maat"})
    assert after.categories["old"] == replace(before.categories["old"], labels={"nl-NL": "Oud"})
    assert after.families["goods"] == replace(before.families["goods"], label_attribute="name")
    assert after.channels["shop"] == replace(shop, price_list="outlet")


def test_a_file_without_families_only_updates_so_a_mistyped_sku_creates_nothing(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)

    report = taken(app, tmp_path, "sku;price-EUR", "A;9.00", "B;9.00")

    assert (report.counts["product"].changed, report.failed) == (1, 1)
    assert "no column `family`" not in report.problems[0].reason
    assert "without the column `family` only updates" in report.problems[0].reason
    assert product(app, "A").prices["default"] == {"EUR": 900, "USD": 800}


def test_a_variant_keeps_what_its_row_has_no_column_for_and_inherits_what_an_empty_cell_removes(
    app: App, tmp_path: Path
) -> None:
    header = "sku;family;parent;name-en_US;size;price-EUR"
    taken(app, tmp_path, header, "TEE-S;goods;TEE;Small tee;s;5.00")
    taken(app, tmp_path, "sku;family;parent;price-EUR", "TEE-S;goods;TEE;6.00")
    assert product(app, "TEE-S").attributes == {"name@en-US": "Small tee", "size": "s"}

    taken(app, tmp_path, header, "TEE-S;goods;TEE;;s;6.00")

    assert group(app, "TEE").value("TEE-S", "name", ("en-US",)) == "Tee"


def test_variants_stand_in_the_order_of_the_file_and_so_they_come_back(
    app: App, tmp_path: Path, empty_database: str
) -> None:
    from daybook.postgres.migrate import migrate

    sizes = ["xl", "s", "m", "l"]
    rows = [f"TEE-{size}{number};goods;TEE;{size}" for number in range(12) for size in sizes]
    taken(app, tmp_path, "sku;family;parent;size", *rows)

    order = [row.partition(";")[0] for row in rows]
    assert list(group(app, "TEE").products) == ["TEE", *order]
    lines = list(export(app.reader))
    (tmp_path / "export.jsonl").write_bytes(b"".join(lines))
    migrate(empty_database)
    with App(Settings(data=tmp_path, postgres=empty_database), Registry([])) as other:
        assert ingest(other.book, jsonl.read(tmp_path / "export.jsonl"), actor="importer").ok
        assert list(group(other, "TEE").products) == ["TEE", *order]
        assert list(export(other.reader)) == lines


def test_options_stand_by_their_sort_order_and_those_without_one_last(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)

    assert [one.code for one in app.book.reference().attributes["size"].options] == ["s", "m", "xl", "l"]


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ("TEE-S;goods;;7.00;s", "parent", "stays a variant of TEE"),
        ("TEE-S;goods;CAP;7.00;s", "parent", "have it a variant of CAP"),
        ("TEE-S;toys;TEE;7.00;s", "family", "stays in the family goods"),
        ("TEE-S;toys;CAP;7.00;s", "parent", "a variant of TEE and in the family goods"),
    ],
)
def test_a_row_that_wants_what_is_fixed_otherwise_is_taken_but_for_that(
    app: App, tmp_path: Path, row: str, field: str, says: str
) -> None:
    header = "sku;family;parent;price-EUR;size"
    taken(app, tmp_path, header, "TEE-S;goods;TEE;5.00;s")

    report = taken(app, tmp_path, header, row)

    (problem,) = report.problems
    assert report.ok and (problem.field, problem.taken) == (field, True)
    assert says in problem.reason and "daybook product discontinue TEE-S" in problem.reason
    assert product(app, "TEE-S").prices == {"default": {"EUR": 700}}
    assert product(app, "TEE-S").parent == "TEE"


def test_a_model_that_varies_by_something_else_keeps_its_axes_and_takes_the_rest(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)
    models = ["code;family_variant;parent;categories;name-en_US", "TEE;by_color;;goods;T-shirt", "CAP;by_size;;;Cap"]

    report = taken(app, tmp_path, *FULL, product_models=models)

    assert [(one.sku, one.field) for one in report.problems] == [("TEE", "axes")]
    assert (product(app, "TEE").axes, product(app, "TEE").attributes["name@en-US"]) == (("size",), "T-shirt")


@pytest.mark.parametrize(
    ("kind", "header", "row", "lists"),
    [
        (
            "0;1",
            "price-ecommerce-EUR;price-print-EUR",
            "7.00;6.00",
            {"default": {"EUR": 700}, "default.print": {"EUR": 600}},
        ),
        (
            "1;0",
            "price-en_US-EUR;price-nl_NL-EUR",
            "7.00;6.00",
            {"default": {"EUR": 700}, "default.nl-NL": {"EUR": 600}},
        ),
        (
            "1;1",
            "price-en_US-ecommerce-EUR;price-nl_NL-print-EUR",
            "7.00;6.00",
            {"default": {"EUR": 700}, "default.nl-NL.print": {"EUR": 600}},
        ),
    ],
)
def test_the_prices_of_the_chosen_channel_and_locale_are_the_prices(
    app: App, tmp_path: Path, kind: str, header: str, row: str, lists: dict[str, dict[str, int]]
) -> None:
    attributes = [
        line.replace("price;pim_catalog_price_collection;Price;0;0", f"price;pim_catalog_price_collection;Price;{kind}")
        for line in FILES["attributes"]
    ]

    report = taken(app, tmp_path, f"sku;family;{header}", f"A;goods;{row}", attributes=attributes)

    assert product(app, "A").prices == lists
    (notice,) = report.notices
    assert notice.field == header.split(";")[1] and "--channel" in notice.reason


def test_date_limits_and_patterns_of_akeneo_hold_as_they_are_meant(app: App, tmp_path: Path) -> None:
    rows = ["A;goods;2026-03-01;AB12;Zoë", "B;goods;2019-12-31;;", "C;goods;;A-1;", "D;goods;;;Zoë1"]

    report = taken(app, tmp_path, "sku;family;since;article;letters", *rows)

    assert report.counts["attribute"].failed == report.counts["family"].failed == 0
    assert {one.sku: one.field for one in report.problems} == {
        "B": "attributes.since",
        "C": "attributes.article",
        "D": "attributes.letters",
    }


def test_two_scripts_of_one_language_are_two_languages(app: App, tmp_path: Path) -> None:
    header = "sku;family;name-sr_Latn_CS;name-sr_Cyrl_CS;name-en_029;name-zh_CN;name-zh_Hans_CN;name-qq_QQ;name-EN_029"

    report = taken(app, tmp_path, header, "A;goods;Čajnik;Чајник;Kettle;one;two;lost;double")

    assert product(app, "A").attributes == {
        "name@sr-Latn-CS": "Čajnik",
        "name@sr-Cyrl-CS": "Чајник",
        "name@en-029": "Kettle",
        "name@zh-CN": "one",
        "name@zh-Hans-CN": "two",
    }
    told = {one.field: one.reason for one in report.notices}
    assert "no known locale" in told["name-qq_QQ"] and "fills the same as the column name-en_029" in told["name-EN_029"]


CELL = st.sampled_from(["", "x", "y"])
ROWS = st.lists(
    st.tuples(st.sampled_from(["A", "B", "TEE-S"]), CELL, CELL, st.sampled_from(["", "5.00", "6.00"])), max_size=6
)
COLUMNS = ("name-en_US", "name-nl_NL", "price-EUR")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=ROWS, second=ROWS, columns=st.sets(st.sampled_from(COLUMNS), min_size=1))
def test_a_dry_run_says_what_the_import_then_does_and_a_second_import_changes_nothing(
    app: App, tmp_path: Path, first: Any, second: Any, columns: set[str]
) -> None:
    def lines(rows: Any, names: Any) -> list[str]:
        chosen = [name for name in COLUMNS if name in names]
        cells = [dict(zip(COLUMNS, row[1:], strict=True)) for row in rows]
        told = [f"{r[0]};goods;{'TEE' if r[0] == 'TEE-S' else ''}" for r in rows]
        return [
            ";".join(["sku;family;parent", *chosen]),
            *(";".join([start, *(cell[name] for name in chosen)]) for start, cell in zip(told, cells, strict=True)),
        ]

    taken(app, tmp_path, *lines(first, COLUMNS))
    planned = taken(app, tmp_path, *lines(second, columns), dry_run=True)
    head = app.reader.head()
    done = taken(app, tmp_path, *lines(second, columns))
    recorded = app.reader.head() - head
    again = taken(app, tmp_path, *lines(second[-1:], columns))

    assert planned.counts == done.counts
    assert bool(recorded) == any(one.outcome in ("created", "changed") for one in planned.plans)
    assert again.counts["product"].changed == again.counts["product"].created == 0


def test_a_dry_run_tells_what_changes_field_by_field_and_writes_nothing(app: App, tmp_path: Path) -> None:
    taken(app, tmp_path, *FULL)
    head = app.reader.head()
    row = FULL[1].replace("7.00", "7.50").replace("a.jpg", "").replace("Ketel", "Waterkoker")

    report = taken(
        app, tmp_path, FULL[0], row, row.replace("A;", "NEW;", 1), row.replace(";red;", ";pink;"), dry_run=True
    )

    assert app.reader.head() == head
    changed, created, refused = report.sorted_plans()
    assert [(one.field, one.before, one.after) for one in changed.changes[:2]] == [
        ("attributes.name@nl-NL", "Ketel", "Waterkoker"),
        ("prices.default.EUR", "7.00", "7.50"),
    ]
    assert changed.changes[2].field == "media.image" and changed.changes[2].after is None
    assert (created.name, created.outcome) == ("NEW", "created")
    assert refused.outcome == "failed" and "no option 'pink'" in refused.reasons[0]
