"""The catalogue written out, and read back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import (
    AddMedia,
    CategoriseProduct,
    ChangePrice,
    CountStock,
    DefineCategory,
    DelistProduct,
    DescribeProduct,
    DiscontinueProduct,
    RemoveMedia,
    RemovePrice,
    SetAttributes,
)
from daybook.commands.book import Command
from daybook.commands.stock import AdjustStock
from daybook.config import Settings
from daybook.demo.catalogue import generate
from daybook.events import AttributeChange, CategoryDefined, MediaAdded
from daybook.exporting.catalogue import export
from daybook.importing import akeneo, jsonl, records
from daybook.importing.ingest import ingest
from daybook.importing.rows import Row
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from tests.fixtures.shared import ICECAT, needs_icecat


@pytest.fixture
def app(tmp_path: Path, database: str) -> Iterator[App]:
    with App(Settings(data=tmp_path, postgres=database), Registry([])) as made:
        yield made


@pytest.fixture
def other(tmp_path: Path, empty_database: str) -> Iterator[App]:
    """An empty book."""
    migrate(empty_database)
    with App(Settings(data=tmp_path, postgres=empty_database), Registry([])) as made:
        yield made


def take_demo(app: App, products: int = 60) -> None:
    rows = [Row(file="demo", line=line, record=record) for line, record in enumerate(generate(products), 1)]
    assert ingest(app.book, rows, actor="test").ok


def take(app: App, lines: list[bytes], path: Path) -> None:
    path.write_bytes(b"".join(lines))
    report = ingest(app.book, jsonl.read(path), actor="test")
    assert report.ok, list(report.lines())


def do(app: App, *commands: Command) -> None:
    for command in commands:
        app.book.carry_out(command, Context.new("merchandiser", "test"))


def test_an_empty_book_exports_its_header_only(app: App) -> None:
    assert list(export(app.reader)) == [b'{"type":"daybook.catalogue","version":1}\n']


def test_the_demo_catalogue_comes_back_byte_for_byte(app: App, other: App, tmp_path: Path) -> None:
    take_demo(app)
    lines = list(export(app.reader))

    take(other, lines, tmp_path / "export.jsonl")

    assert list(export(other.reader)) == lines


@pytest.mark.long
@needs_icecat
def test_the_real_catalogue_comes_back_byte_for_byte(app: App, other: App, tmp_path: Path) -> None:
    assert ICECAT is not None
    options = akeneo.AkeneoOptions(list_on=("webshop",))
    assert ingest(app.book, akeneo.read(ICECAT, options), actor="test").ok
    lines = list(export(app.reader))
    assert len(lines) == 1 + 76 + 168 + 17 + 1 + 1320

    take(other, lines, tmp_path / "export.jsonl")

    assert list(export(other.reader)) == lines


def test_what_a_line_names_stands_above_it(app: App) -> None:
    take_demo(app)
    do(app, DefineCategory(category=CategoryDefined(code="aaa", parent="lighting")))

    seen: set[tuple[str, str]] = set()
    nouns: list[records.Noun] = []
    for line in export(app.reader):
        record = records.decode(line)
        if isinstance(record, records.Header):
            continue
        noun, parent = records.noun(record), records.parent(record)
        assert parent is None or (noun, parent) in seen
        seen.add((noun, records.name(record)))
        nouns.append(noun)
    order = {noun: number for number, noun in enumerate(records.NOUNS)}
    assert set(nouns) == set(order)
    assert nouns == sorted(nouns, key=lambda noun: order[noun])


def edits() -> tuple[Command, ...]:
    """One of everything that can happen to what the demo holds."""
    lamp, model = "LMP-00001", "BPK-00001"
    picture = MediaAdded(media_id="second", url="https://images.example.com/second.jpg")
    name = AttributeChange(attribute="name", locale="nl-NL", value="Iets anders")
    gone = AttributeChange(attribute="material", value=None)
    return (
        ChangePrice(sku=lamp, amount="1.23", currency="EUR"),
        ChangePrice(sku=model, amount="9", currency="JPY", price_list="export"),
        RemovePrice(sku=model, currency="EUR"),
        SetAttributes(sku=lamp, changes=(name, gone)),
        CategoriseProduct(sku=lamp, categories=("home", "lighting")),
        AddMedia(sku=model, media=picture),
        RemoveMedia(sku=lamp, media_id="image"),
        CountStock(sku=lamp, quantity=7, location="utrecht"),
        DelistProduct(sku="LMP-00002", channel="bol"),
        DiscontinueProduct(sku=lamp),
        DescribeProduct(sku="NEW-1", kind="product", channels={"webshop": False}, discontinued=True),
    )


def test_an_earlier_position_exports_what_was_there_then(app: App) -> None:
    take_demo(app, 20)
    then, position = list(export(app.reader)), app.reader.head()

    do(app, *edits())

    assert list(export(app.reader, upto=position)) == then
    assert list(export(app.reader)) != then
    assert list(export(app.reader, upto=0)) == [records.encode(records.Header())]


def test_edited_products_come_back_byte_for_byte(app: App, other: App, tmp_path: Path) -> None:
    take_demo(app, 20)
    do(app, *edits())
    lines = list(export(app.reader))

    take(other, lines, tmp_path / "export.jsonl")

    assert list(export(other.reader)) == lines


def test_importing_an_earlier_export_over_a_later_state_brings_the_earlier_one_back(app: App, tmp_path: Path) -> None:
    take_demo(app, 20)
    then = list(export(app.reader))
    do(app, *edits())

    take(app, then, tmp_path / "then.jsonl")

    now = [line for line in export(app.reader) if b'"NEW-1"' not in line]
    assert now == then


def test_different_histories_of_the_same_state_export_the_same_bytes(app: App, other: App) -> None:
    price = {"amount": "3", "currency": "EUR"}
    do(app, DescribeProduct(sku="A", kind="product"), DescribeProduct(sku="B", kind="product"))
    do(app, ChangePrice(sku="A", price_list="z", **price), ChangePrice(sku="A", price_list="a", **price))
    do(other, DescribeProduct(sku="B", kind="product"), DescribeProduct(sku="A", kind="product"))
    do(other, ChangePrice(sku="A", price_list="a", **price), ChangePrice(sku="A", price_list="z", **price))

    assert list(export(app.reader)) == list(export(other.reader))


def test_a_location_below_zero_is_exported_as_empty_because_a_count_can_not_say_less(app: App) -> None:
    do(app, DescribeProduct(sku="A", kind="product", stock={"main": 1}), AdjustStock(sku="A", delta=-3))

    (line,) = [records.decode(line) for line in export(app.reader) if b"describe_product" in line]

    assert isinstance(line, DescribeProduct)
    assert line.stock == {"main": 0}
